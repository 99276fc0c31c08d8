#include "os/clock.h"

#include <gtest/gtest.h>

#include "os/random.h"

namespace kehu::os {
namespace {

TEST(Clock, SystemClockIsInThisCentury) {
  EXPECT_GT(system_clock().now(), Instant::from_seconds(1'700'000'000));
  EXPECT_LT(system_clock().now(), Instant::from_seconds(4'102'444'800));
}

TEST(Clock, MonotonicNeverGoesBack) {
  Duration last = system_clock().monotonic();
  for (int i = 0; i < 1000; ++i) {
    const Duration next = system_clock().monotonic();
    ASSERT_GE(next, last);
    last = next;
  }
}

TEST(ManualClock, AJumpDoesNotMoveMonotonicTime) {
  ManualClock clock(Instant::from_seconds(100));
  clock.advance(Duration::seconds(5));
  EXPECT_EQ(clock.now(), Instant::from_seconds(105));
  clock.jump_to(Instant::from_seconds(7));
  EXPECT_EQ(clock.now(), Instant::from_seconds(7));
  EXPECT_EQ(clock.monotonic(), Duration::seconds(5));
}

TEST(Random, TwoDrawsDiffer) {
  EXPECT_NE(random_u64(), random_u64());
  EXPECT_EQ(random_hex(20).size(), 40u);
  EXPECT_NE(random_hex(20), random_hex(20));
}

}  // namespace
}  // namespace kehu::os
