#include <map>
#include <random>

#include "base/test_rounds.h"
#include "timer/testing.h"

namespace kehu::timer {
namespace {

constexpr Instant kStart = Instant::from_seconds(1'790'000'000);

// What the timers should be: a sorted list.
struct Naive {
  struct Rest {
    CustomerId owner;
    uint16_t kind;
    std::string payload;
  };
  std::map<std::pair<Instant, TimerId>, Rest> pending;
};

class World {
 public:
  explicit World(uint64_t seed)
      : random_(seed), spread_(below(4)), timers_(std::make_unique<Timers>(store_)) {}

  void step() {
    const uint64_t dice = below(100);
    if (dice < 60) return set();
    if (dice < 80) return cancel();
    if (dice < 97) return advance();
    if (dice < 98) timers_ = std::make_unique<Timers>(store_);  // the process was killed
    EXPECT_EQ(checked_layout(store_).timers, naive_.pending.size());
  }
  void drain() {
    now_ = Instant(INT64_MAX);
    while (!naive_.pending.empty() && !testing::Test::HasFailure()) take(1 + below(500));
    take(1);
    EXPECT_LE(store_.blobs.size(), 1u);
  }
  const TestStore& store() const { return store_; }

 private:
  uint64_t below(uint64_t n) { return std::uniform_int_distribution<uint64_t>(0, n - 1)(random_); }

  // Near, far, past, crowded on whole seconds, crowded on one microsecond.
  Instant some_due() {
    const int64_t sign = below(8) == 0 ? -1 : 1;
    const Duration within[] = {Duration(200), Duration::seconds(100), Duration::days(30),
                               Duration::days(9000)};
    const uint64_t reach = static_cast<uint64_t>(within[below(3) == 0 ? below(4) : spread_].micros());
    const Instant due = now_ + Duration(sign * static_cast<int64_t>(below(reach)));
    switch (below(6)) {
      case 0:
        return kStart + Duration::hours(1);
      case 1:
        return Instant::from_seconds(due.micros() / 1'000'000);
      default:
        return due;
    }
  }

  void set() {
    for (uint64_t burst = below(20) == 0 ? 200 : 1; burst > 0; --burst) {
      const std::string payload(below(kPayloadBytes + 1), static_cast<char>('a' + below(26)));
      Timer timer{some_due(), id_of(below(3000)), CustomerId{{below(100), 1}},
                  static_cast<uint16_t>(below(9)), payload};
      if (below(10) == 0) timer.id.hash.low &= 0xf;  // neighbours, too
      if (below(10) == 0) timer.id.hash.high = 0;
      timers_->set(timer);
      naive_.pending[{timer.due, timer.id}] = {timer.owner, timer.kind, payload};
    }
    check_summary();
  }

  void cancel() {
    std::pair<Instant, TimerId> key{some_due(), id_of(below(3000))};
    if (const auto next = naive_.pending.lower_bound(key); next != naive_.pending.end() && below(10) > 0)
      key = next->first;
    EXPECT_EQ(timers_->cancel(key.first, key.second), naive_.pending.erase(key) == 1);
    check_summary();
  }

  void advance() {
    const Duration steps[] = {Duration(below(50)), Duration::millis(below(2000)),
                              Duration::seconds(below(90'000)), Duration::days(below(500))};
    now_ = now_ + steps[std::min(below(4), below(4))];
    if (below(50) == 0) now_ = now_ - Duration::days(1);
    take(1 + below(below(3) == 0 ? 2000 : 20));
  }

  void take(size_t limit) {
    const size_t taken = timers_->advance(now_, limit, [&](const Timer& timer) {
      ASSERT_FALSE(naive_.pending.empty());
      const auto first = naive_.pending.begin();
      ASSERT_EQ(first->first, std::pair(timer.due, timer.id));
      ASSERT_LE(timer.due, now_);
      ASSERT_EQ(first->second.owner, timer.owner);
      ASSERT_EQ(first->second.kind, timer.kind);
      ASSERT_EQ(first->second.payload, timer.payload);
      naive_.pending.erase(first);
    });
    ASSERT_LE(taken, limit);
    if (taken < limit && !naive_.pending.empty()) {
      ASSERT_GT(naive_.pending.begin()->first.first, now_);
    }
    check_summary();
  }

  void check_summary() {
    ASSERT_EQ(timers_->pending(), naive_.pending.size());
    const std::optional<Instant> due = timers_->next_due();
    ASSERT_EQ(due.has_value(), !naive_.pending.empty());
    if (due) {
      ASSERT_EQ(*due, naive_.pending.begin()->first.first);
    }
  }

  std::mt19937_64 random_;
  uint64_t spread_;
  Instant now_ = kStart;
  TestStore store_;
  Naive naive_;
  std::unique_ptr<Timers> timers_;
};

TEST(timers_random, fire_like_a_sorted_list) {
  const uint64_t worlds = static_cast<uint64_t>(rounds(60, 2000));
  for (uint64_t seed = 1; seed <= worlds && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    World world(seed);
    for (int i = 0; i < 1500 && !testing::Test::HasFailure(); ++i) world.step();
    world.drain();
  }
}

TEST(timers_random, same_calls_same_bytes) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    World a(seed), b(seed);
    for (int i = 0; i < 800; ++i) {
      a.step();
      b.step();
    }
    EXPECT_EQ(a.store().blobs, b.store().blobs) << "seed " << seed;
  }
}

}  // namespace
}  // namespace kehu::timer
