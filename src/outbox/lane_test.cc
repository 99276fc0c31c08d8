#include "outbox/lane.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "base/text.h"

namespace kehu::outbox {
namespace {

constexpr Duration at(int64_t millis) { return Duration::millis(millis); }

Intent intent(uint64_t sequence, uint64_t customer = 0) {
  return {.key = {Sequence(sequence), 0}, .channel = "x", .customer = CustomerId{{0, customer}}, .body = ""};
}
IntentKey key(uint64_t sequence) { return {Sequence(sequence), 0}; }

// What may be tried now, in order.
std::vector<uint64_t> begin_all(Lane& lane, Duration now = {}) {
  std::vector<uint64_t> begun;
  while (const Intent* next = lane.begin(now)) begun.push_back(next->key.sequence.value());
  return begun;
}
using Numbers = std::vector<uint64_t>;

TEST(Lane, OneCustomersComeOneAfterTheOther) {
  Lane lane({}, std::nullopt);
  for (const auto& [sequence, customer] : {std::pair{1, 7}, {2, 8}, {3, 7}, {4, 7}, {5, 0}, {6, 0}})
    lane.add(intent(sequence, customer));
  EXPECT_EQ(begin_all(lane), (Numbers{1, 2, 5, 6}));
  lane.ended(key(2));
  EXPECT_EQ(begin_all(lane), Numbers{});
  lane.failed(key(1), at(0));
  EXPECT_EQ(begin_all(lane, at(999)), Numbers{}) << "3 is behind 1, which is tried again";
  EXPECT_EQ(begin_all(lane, at(1000)), Numbers{1});
  lane.ended(key(1));
  EXPECT_EQ(begin_all(lane, at(1000)), Numbers{3});
  lane.add(intent(9, 7));
  lane.ended(key(3));
  EXPECT_EQ(begin_all(lane, at(1000)), Numbers{4});
  lane.ended(key(4));
  EXPECT_EQ(begin_all(lane, at(1000)), Numbers{9});
  lane.ended(key(9));
  for (const uint64_t each : {1, 2, 3, 4, 5, 9}) lane.settled(key(each));
  EXPECT_FALSE(lane.empty());
  lane.ended(key(5));
  lane.ended(key(6));
  lane.settled(key(6));
  EXPECT_TRUE(lane.empty());
}

TEST(Lane, PausesGrow) {
  Lane lane({.longest_pause = at(3000)}, std::nullopt);
  lane.add(intent(1));
  int64_t now = 0;
  for (const int64_t pause : {1000, 2000, 3000, 3000}) {
    ASSERT_EQ(begin_all(lane, at(now)), Numbers{1});
    lane.failed(key(1), at(now));
    EXPECT_EQ(begin_all(lane, at(now + pause - 1)), Numbers{});
    now += pause;
  }
}

TEST(Lane, WhenEverythingFailsOneAtATimeIsTried) {
  Lane lane({.under_way_max = 16}, std::nullopt);
  for (uint64_t i = 1; i <= 100; ++i) lane.add(intent(i));
  ASSERT_EQ(begin_all(lane).size(), 16u);
  for (uint64_t i = 1; i <= 16; ++i) lane.failed(key(i), at(0));
  EXPECT_EQ(begin_all(lane, at(999)), Numbers{});
  EXPECT_EQ(begin_all(lane, at(1000)), Numbers{1});
  lane.failed(key(1), at(1000));
  EXPECT_EQ(begin_all(lane, at(2999)), Numbers{}) << "16 that failed at once were one failure";
  EXPECT_EQ(begin_all(lane, at(3000)), Numbers{2});
  lane.ended(key(2));
  EXPECT_EQ(begin_all(lane, at(3000)).size(), 16u) << "it is back";
}

TEST(Lane, AFewFailuresHoldNobodyUp) {
  Lane lane({.under_way_max = 4}, std::nullopt);
  for (uint64_t i = 1; i <= 100; ++i) lane.add(intent(i));
  uint64_t ended = 0, count = 0;
  for (int64_t now = 0; ended < 100 && now < 10; ++now) {
    for (const uint64_t each : begin_all(lane, at(now * 1000))) {
      if (++count % 5 == 0) {
        lane.failed(key(each), at(now * 1000));
      } else {
        lane.ended(key(each));
        ++ended;
      }
      for (const uint64_t more : begin_all(lane, at(now * 1000))) {
        lane.ended(key(more));
        ++ended;
      }
    }
  }
  EXPECT_EQ(ended, 100u);
}

TEST(Lane, WhatItHasNoRoomForIsReadInOrder) {
  Lane lane({.held_max = 4}, std::nullopt);
  for (uint64_t i = 1; i <= 10; ++i) lane.add(intent(i));
  EXPECT_EQ(begin_all(lane), (Numbers{1, 2, 3, 4}));
  EXPECT_EQ(lane.read_from(Sequence(7)), key(5));
  for (const uint64_t each : {5, 6, 7}) lane.found(intent(each));
  lane.have_read({Sequence(7), 1}, true, Sequence(7));
  EXPECT_EQ(begin_all(lane), (Numbers{5, 6, 7}));
  EXPECT_EQ(lane.read_from(Sequence(7)), std::nullopt) << "that state has no more";
  lane.add(intent(11));
  EXPECT_EQ(begin_all(lane), Numbers{}) << "behind 8, which was not read yet";
  const auto on = lane.read_from(Sequence(11));
  ASSERT_TRUE(on && *on > key(7) && *on < key(8));
  for (const uint64_t each : {8, 9, 10, 11}) lane.found(intent(each));
  lane.have_read({Sequence(11), 1}, true, Sequence(11));
  EXPECT_EQ(begin_all(lane), (Numbers{8, 9, 10, 11}));
  lane.add(intent(12));
  EXPECT_EQ(begin_all(lane), Numbers{12}) << "new ones are taken directly again";
}

// A replay brings what is behind the checkpoint before that is read.
TEST(Lane, WhatIsStoredComesFirst) {
  Lane lane({.held_max = 4}, Sequence(10));
  for (const uint64_t each : {11, 12, 13}) lane.add(intent(each, 7));
  EXPECT_EQ(begin_all(lane), Numbers{});
  ASSERT_EQ(lane.read_from(Sequence(10)), IntentKey{});
  lane.found(intent(3, 7));
  lane.have_read({Sequence(3), 1}, false, Sequence(10));
  EXPECT_EQ(begin_all(lane), Numbers{3});
  lane.ended(key(3));
  lane.found(intent(4, 8));
  lane.have_read({Sequence(4), 1}, true, Sequence(10));
  EXPECT_EQ(begin_all(lane), (Numbers{4}));
  ASSERT_TRUE(lane.read_from(Sequence(13))) << "13 had no room";
  for (const uint64_t each : {11, 12, 13}) lane.found(intent(each, 7));
  lane.have_read({Sequence(13), 1}, true, Sequence(13));
  EXPECT_EQ(begin_all(lane), Numbers{11});
  lane.ended(key(11));
  EXPECT_EQ(begin_all(lane), Numbers{12});
}

TEST(Lane, WhatIsSettledIsNotTried) {
  Lane lane({}, std::nullopt);
  for (const uint64_t each : {1, 2, 3}) lane.add(intent(each, 7));
  lane.settled(key(1));
  EXPECT_EQ(begin_all(lane), Numbers{2});
  lane.failed(key(2), at(0));
  lane.settled(key(2));
  EXPECT_EQ(begin_all(lane, at(1000)), Numbers{3});
}

}  // namespace
}  // namespace kehu::outbox
