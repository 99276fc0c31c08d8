#include "base/token_bucket.h"

#include <cmath>
#include <random>

#include "gtest/gtest.h"

namespace kehu {
namespace {

constexpr Instant kStart = Instant::from_seconds(1'795'308'600);

// Events let in over so long by a sender that asks every `step` for batches of `batch`.
uint64_t let_in(TokenBucket& bucket, Instant& now, Duration length, Duration step, uint64_t batch) {
  uint64_t events = 0;
  for (const Instant end = now + length; now < end; now = now + step) {
    if (bucket.wait(now) > Duration()) continue;
    bucket.charge(batch, now);
    events += batch;
  }
  return events;
}

TEST(TokenBucket, TheRateIsExact) {
  struct Case {
    const char* name;
    uint32_t rate;
    Duration step;
    uint64_t batch;
    Duration length;
  };
  const Case cases[] = {
      {"one a second, asked all the time", 1, Duration::millis(7), 1, Duration::minutes(20)},
      {"a rate that no microsecond divides", 3, Duration(1001), 1, Duration::minutes(10)},
      {"thousands, single events", 7'919, Duration(13), 1, Duration::seconds(60)},
      {"batches larger than a second's worth", 100, Duration::millis(10), 2'500, Duration::hours(3)},
      {"a million a second", 1'000'000, Duration(50), 100, Duration::seconds(30)},
      {"the most", 1'000'000'000, Duration::millis(1), 5'000'000, Duration::seconds(30)},
  };
  for (const Case& c : cases) {
    TokenBucket bucket(c.rate, kStart);
    Instant now = kStart;
    // The first second's worth and the last batch's debt are no part of the rate.
    let_in(bucket, now, Duration::seconds(60), c.step, c.batch);
    const Instant begin = now;
    const uint64_t events = let_in(bucket, now, c.length, c.step, c.batch);
    const double wanted = c.rate * static_cast<double>((now - begin).micros()) / 1e6;
    EXPECT_NEAR(static_cast<double>(events), wanted, wanted / 100) << c.name;
  }
}

TEST(TokenBucket, WaitsSayWhenTheNextEventIsLetIn) {
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 2'000; ++i) {
    TokenBucket bucket(static_cast<uint32_t>(1 + random() % 10'000), kStart);
    Instant now = kStart;
    for (int j = 0; j < 20; ++j) {
      now = now + Duration(static_cast<int64_t>(random() % 2'000'000));
      const Duration wait = bucket.wait(now);
      if (wait == Duration()) {
        bucket.charge(random() % 5'000, now);
        continue;
      }
      ASSERT_GT(bucket.wait(now + wait - Duration(1)), Duration());
      ASSERT_EQ(bucket.wait(now + wait), Duration());
      now = now + wait;
    }
  }
}

TEST(TokenBucket, HoldsOneSecond) {
  TokenBucket bucket(10, kStart);
  const Instant later = kStart + Duration::hours(5);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(bucket.wait(later), Duration()) << i;
    bucket.charge(1, later);
  }
  EXPECT_EQ(bucket.wait(later), Duration::millis(100));
  EXPECT_FALSE(bucket.is_full(later));
  EXPECT_TRUE(bucket.is_full(later + Duration::seconds(1)));
}

TEST(TokenBucket, AClockThatGoesBackwardsLocksNobodyOut) {
  TokenBucket bucket(1, kStart);
  bucket.charge(1, kStart);
  const Instant before = kStart - Duration::days(365);
  EXPECT_EQ(bucket.wait(before), Duration::seconds(1));
  EXPECT_EQ(bucket.wait(before + Duration::seconds(1)), Duration());
}

TEST(TokenBucket, AnotherRateCountsAtOnce) {
  TokenBucket bucket(1'000, kStart);
  bucket.set_rate(2);
  bucket.charge(2, kStart);
  EXPECT_EQ(bucket.wait(kStart), Duration::millis(500));
  bucket.set_rate(1'000);
  EXPECT_EQ(bucket.wait(kStart), Duration::millis(1));
  bucket.charge(UINT64_MAX, kStart);
  EXPECT_GT(bucket.wait(kStart), Duration::days(1));
}

}  // namespace
}  // namespace kehu
