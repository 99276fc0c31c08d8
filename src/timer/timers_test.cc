#include "timer/timers.h"

#include <gmock/gmock.h>

#include "timer/testing.h"

namespace kehu::timer {
namespace {

constexpr Instant kNoon = Instant::from_seconds(1'790'000'000);

// What fired, in order, as numbers of timer_of().
class TimersTest : public testing::Test {
 protected:
  void set(Instant due, uint64_t number, std::string_view payload = {}) {
    numbers_[id_of(number)] = number;
    timers_.set(timer_of(due, number, payload));
  }
  std::vector<uint64_t> advance(Instant now, size_t limit = 1'000'000) {
    std::vector<uint64_t> fired;
    const size_t taken = timers_.advance(now, limit, [&](const Timer& timer) {
      fired.push_back(numbers_.at(timer.id));
      EXPECT_LE(timer.due, now);
    });
    EXPECT_EQ(taken, fired.size());
    EXPECT_EQ(checked_layout(store_).timers, timers_.pending());
    return fired;
  }

  TestStore store_;
  Timers timers_{store_};
  std::map<TimerId, uint64_t> numbers_;
};

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(TimersTest, nothing_is_pending_at_first) {
  EXPECT_EQ(timers_.next_due(), std::nullopt);
  EXPECT_EQ(timers_.pending(), 0u);
  EXPECT_THAT(advance(kLastInstant), IsEmpty());
  EXPECT_FALSE(timers_.cancel(kNoon, id_of(1)));
  EXPECT_TRUE(store_.blobs.empty());
}

TEST_F(TimersTest, fires_at_its_microsecond_and_once) {
  set(kNoon, 1);
  EXPECT_EQ(timers_.next_due(), kNoon);
  EXPECT_THAT(advance(kNoon - Duration(1)), IsEmpty());
  EXPECT_THAT(advance(kNoon), ElementsAre(1));
  EXPECT_THAT(advance(kNoon), IsEmpty());
  EXPECT_EQ(timers_.next_due(), std::nullopt);
}

TEST_F(TimersTest, shows_what_was_set) {
  Timer given{kNoon, id_of(1), CustomerId{{2, 3}}, 4, "step 5"};
  timers_.set(given);
  const std::string longest(kPayloadBytes, 'x');
  Timer second{kNoon + Duration(1), id_of(2), CustomerId{{~0ull, ~0ull}}, 65535, longest};
  timers_.set(second);
  std::vector<Timer> want = {given, second};
  size_t seen = 0;
  timers_.advance(kNoon + Duration(1), 2, [&](const Timer& timer) { EXPECT_EQ(timer, want[seen++]); });
  EXPECT_EQ(seen, 2u);
}

TEST_F(TimersTest, the_same_due_and_id_replaces) {
  timers_.set({kNoon, id_of(1), CustomerId{{2, 3}}, 4, "a longer payload than the next"});
  timers_.set({kNoon, id_of(1), CustomerId{{5, 6}}, 7, "short"});
  EXPECT_EQ(timers_.pending(), 1u);
  timers_.advance(kNoon, 9, [&](const Timer& timer) {
    EXPECT_EQ(timer, (Timer{kNoon, id_of(1), CustomerId{{5, 6}}, 7, "short"}));
  });
}

TEST_F(TimersTest, one_id_may_be_due_at_several_times) {
  set(kNoon + Duration(1), 1);
  set(kNoon, 1);
  EXPECT_THAT(advance(kNoon), ElementsAre(1));
  EXPECT_THAT(advance(kNoon + Duration(1)), ElementsAre(1));
}

TEST_F(TimersTest, cancel_needs_both_due_and_id) {
  set(kNoon, 1);
  EXPECT_FALSE(timers_.cancel(kNoon + Duration(1), id_of(1)));
  EXPECT_FALSE(timers_.cancel(kNoon, id_of(2)));
  EXPECT_TRUE(timers_.cancel(kNoon, id_of(1)));
  EXPECT_FALSE(timers_.cancel(kNoon, id_of(1)));
  EXPECT_THAT(advance(kLastInstant), IsEmpty());
}

TEST_F(TimersTest, late_ones_fire_at_the_next_advance_in_order) {
  set(kNoon, 1);
  EXPECT_THAT(advance(kNoon + Duration::days(400)), ElementsAre(1));
  set(kNoon + Duration(2), 2);
  set(kNoon - Duration::days(9000), 3);
  EXPECT_EQ(timers_.next_due(), kNoon - Duration::days(9000));
  EXPECT_THAT(advance(kNoon + Duration(2)), ElementsAre(3, 2));  // the clock went back, too
}

TEST_F(TimersTest, any_instant_is_a_due_time) {
  set(Instant(INT64_MAX), 1);
  set(Instant(-1), 2);
  set(Instant(INT64_MIN), 3);
  set(Instant(0), 4);
  EXPECT_THAT(advance(Instant(INT64_MIN)), ElementsAre(3));
  EXPECT_THAT(advance(Instant(INT64_MAX - 1)), ElementsAre(2, 4));
  EXPECT_THAT(advance(Instant(INT64_MAX)), ElementsAre(1));
}

TEST_F(TimersTest, many_at_one_microsecond_fire_in_order_of_ids_and_in_steps) {
  std::vector<TimerId> ids;
  for (uint64_t number = 0; number < 5000; ++number) {
    set(kNoon, number);
    ids.push_back(id_of(number));
  }
  std::ranges::sort(ids);
  std::vector<uint64_t> want, fired;
  for (const TimerId id : ids) want.push_back(numbers_[id]);
  for (std::vector<uint64_t> step; !(step = advance(kNoon, 77)).empty();) {
    EXPECT_TRUE(step.size() == 77 || timers_.pending() == 0);
    fired.insert(fired.end(), step.begin(), step.end());
  }
  EXPECT_EQ(fired, want);
  EXPECT_EQ(store_.blobs.size(), 1u);  // the root
}

TEST_F(TimersTest, ids_that_differ_in_their_last_bit_only_have_a_place_each) {
  for (uint64_t low = 0; low < 300; ++low) timers_.set({kNoon, TimerId{{7, low}}, {}, 0, {}});
  EXPECT_EQ(checked_layout(store_).timers, 300u);
  uint64_t next = 0;
  timers_.advance(kNoon, 300, [&](const Timer& timer) { EXPECT_EQ(timer.id.hash.low, next++); });
  EXPECT_EQ(next, 300u);
}

// A coarse wheel is put where a fine one was when a timer comes that is far from all others.
TEST_F(TimersTest, a_far_timer_among_crowded_ones) {
  for (uint64_t number = 0; number < 500; ++number)
    set(kNoon + Duration(static_cast<int64_t>(number)), number);
  set(kNoon + Duration::days(20'000), 500);
  set(kNoon - Duration::days(20'000), 501);
  EXPECT_EQ(checked_layout(store_).timers, 502u);
  EXPECT_FALSE(timers_.cancel(kNoon + Duration::days(300), id_of(1)));
  EXPECT_THAT(advance(kNoon, 1), ElementsAre(501));
  EXPECT_EQ(advance(kNoon + Duration::days(10'000)).size(), 500u);
  EXPECT_THAT(advance(kNoon + Duration::days(30'000)), ElementsAre(500));
}

TEST_F(TimersTest, what_is_cancelled_leaves_nothing) {
  for (uint64_t number = 0; number < 3000; ++number)
    set(kNoon + Duration::seconds(static_cast<int64_t>(number * number % 10'007)), number);
  for (uint64_t number = 0; number < 3000; ++number)
    EXPECT_TRUE(timers_.cancel(kNoon + Duration::seconds(static_cast<int64_t>(number * number % 10'007)),
                               id_of(number)));
  EXPECT_EQ(timers_.pending(), 0u);
  EXPECT_EQ(store_.blobs.size(), 1u);
}

TEST_F(TimersTest, opening_reads_one_blob) {
  for (uint64_t number = 0; number < 3000; ++number)
    set(kNoon + Duration::seconds(static_cast<int64_t>(number)), number);
  store_.gets = 0;
  Timers again(store_);
  EXPECT_EQ(store_.gets, 1u);
  EXPECT_EQ(again.pending(), 3000u);
  EXPECT_EQ(again.next_due(), kNoon);
}

TEST_F(TimersTest, a_set_writes_one_page) {
  for (uint64_t number = 0; number < 40; ++number) set(kNoon, number);
  store_.puts = 0;
  set(kNoon + Duration(1), 40);
  EXPECT_EQ(store_.puts, 2u);  // the page and the root
}

TEST_F(TimersTest, a_callback_that_sets_is_a_bug) {
  set(kNoon, 1);
  EXPECT_DEATH(timers_.advance(kNoon, 1, [&](const Timer& timer) { timers_.set(timer); }), "visiting_");
  EXPECT_DEATH(timers_.set(timer_of(kNoon, 2, std::string(kPayloadBytes + 1, 'x'))), "payload");
}

}  // namespace
}  // namespace kehu::timer
