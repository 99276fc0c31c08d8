#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "absl/strings/escaping.h"
#include "base/text.h"
#include "timer/testing.h"

namespace kehu::timer {
namespace {

std::string hex(std::string_view bytes) { return absl::BytesToHexString(to_absl(bytes)); }

constexpr Instant kNoon = Instant::from_seconds(1'790'000'000);

// The examples of the format page are the golden bytes and keys.
TEST(blob, bytes_are_those_of_the_format_page) {
  std::ifstream file(KEHU_SOURCE_DIR "/docs/formats/timers.md");
  std::stringstream page;
  page << file.rdbuf();
  std::string examples = page.str();
  std::erase_if(examples, [](char c) { return c == ' ' || c == '\n'; });
  TestStore store;
  Timers timers(store);
  timers.set({kNoon, TimerId{{1, 2}}, CustomerId{{3, 4}}, 5, "abc"});
  EXPECT_THAT(examples, testing::HasSubstr(hex(store.blobs.at(kRootAddress))));
  EXPECT_THAT(examples, testing::HasSubstr(hex(store.blobs.at(address_of(Slot{})))));
  EXPECT_THAT(examples, testing::HasSubstr(address_of(Slot{}).hex()));
  for (uint64_t low = 0; low < 100; ++low) timers.set({kNoon + Duration(1), TimerId{{0, low}}, {}, 0, {}});
  const std::string& wheel = store.blobs.at(address_of(Slot{}));
  EXPECT_THAT(examples, testing::HasSubstr(hex(wheel)));
  EXPECT_THAT(examples, testing::HasSubstr(address_of(parse_wheel(wheel).slot(0)).hex()));
  EXPECT_TRUE(store.blobs.contains(address_of(parse_wheel(wheel).slot(0))));
}

TEST(place, digits_are_those_of_due_and_id) {
  const Place place =
      place_of(Instant(0x0123456789abcdef), TimerId{{0xfedcba9876543210, 0x0f1e2d3c4b5a6978}});
  const std::string_view want = "8123456789abcdeffedcba98765432100f1e2d3c4b5a6978";
  for (int level = 0; level < kLevels; ++level) {
    const char digit = want[static_cast<size_t>(level)];
    EXPECT_EQ(place.digit(level), digit <= '9' ? digit - '0' : digit - 'a' + 10) << level;
    Place other = place;
    other.words[level / 16] ^= uint64_t{1} << (60 - 4 * (level % 16));
    EXPECT_EQ(first_difference(place, other), level);
    EXPECT_EQ(slot_around(place, level), slot_around(other, level));
    EXPECT_NE(slot_around(place, level + 1), slot_around(other, level + 1));
    Wheel wheel{level, slot_around(place, level).prefix, 0};
    EXPECT_EQ(wheel.slot(place.digit(level)), slot_around(place, level + 1));
  }
  EXPECT_EQ(first_difference(place, place), kLevels);
}

TEST(wheel, reads_back) {
  const Place place = place_of(kNoon, TimerId{{0xfedcba9876543210, 0x0f1e2d3c4b5a6978}});
  for (int level = 0; level < kLevels; ++level) {
    const Wheel wheel{level, slot_around(place, level).prefix, 0x8021};
    std::string bytes;
    append_wheel(wheel, bytes);
    EXPECT_EQ(parse_wheel(bytes), wheel);
    EXPECT_DEATH(parse_wheel(bytes + '\0'), "at_end");
  }
}

TEST(blob, damaged_bytes_end_the_program) {
  TestStore store;
  Timers(store).set({kNoon, TimerId{{1, 2}}, CustomerId{{3, 4}}, 5, "abc"});
  const std::string page = store.blobs.at(address_of(Slot{}));
  const std::string root = store.blobs.at(kRootAddress);
  for (size_t size = 3; size < page.size(); size += 7) {
    store.blobs[address_of(Slot{})] = page.substr(0, size);
    EXPECT_DEATH(Timers(store).next_due(), "size");
  }
  store.blobs[kRootAddress] = root.substr(0, root.size() - 1);
  EXPECT_DEATH(Timers timers(store), "failed");
  store.blobs[kRootAddress] = "\x02" + root.substr(1);
  EXPECT_DEATH(Timers timers(store), "kVersion");
}

}  // namespace
}  // namespace kehu::timer
