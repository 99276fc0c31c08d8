#include <ctime>
#include <random>

#include "timer/testing.h"

// What timers promise about cost, in gets and puts and bytes, which do not depend on the machine; times are
// printed, and bounded widely.
namespace kehu::timer {
namespace {

constexpr Instant kStart = Instant::from_seconds(1'790'000'000);

// Of this process, so that a busy machine does not count.
double cpu_millis() { return static_cast<double>(std::clock()) * 1e3 / CLOCKS_PER_SEC; }

TEST(timers_cost, years_pass_in_a_few_reads) {
  TestStore store;
  Timers timers(store);
  for (int64_t year = 0; year < 100; ++year) timers.set(timer_of(kStart + Duration::days(365 * year), 1));
  size_t fired = 0;
  store.gets = store.puts = 0;
  for (int64_t day = 0; day < 36'500; ++day)
    fired += timers.advance(kStart + Duration::days(day), 10, [](const Timer&) {});
  EXPECT_EQ(fired, 100u);
  EXPECT_LE(store.gets, 36'500u * 4);
  EXPECT_LE(store.puts, 100u * 4);
}

void a_million_at(const char* what, int64_t micros) {
  constexpr uint64_t kTimers = 1'000'000;
  constexpr size_t kLimit = 1000;
  TestStore store;
  Timers timers(store);
  for (uint64_t i = 0; i < kTimers; ++i)
    timers.set(
        timer_of(kStart + Duration(static_cast<int64_t>(i * 7919 % static_cast<uint64_t>(micros))), i));
  const Instant now = kStart + Duration::seconds(1);
  uint64_t fired = 0, most_puts = 0, most_gets = 0;
  double longest = 0, sum = 0;
  for (bool more = true; more;) {
    store.gets = store.puts = 0;
    const double start = cpu_millis();
    const size_t taken = timers.advance(now, kLimit, [](const Timer&) {});
    const double took = cpu_millis() - start;
    longest = std::max(longest, took);
    sum += took;
    fired += taken;
    most_puts = std::max(most_puts, store.puts);
    most_gets = std::max(most_gets, store.gets);
    more = taken == kLimit;
  }
  EXPECT_EQ(fired, kTimers);
  EXPECT_LE(most_puts, kLimit);
  EXPECT_LE(most_gets, 2 * kLimit);
  EXPECT_LT(longest, 500);
  std::printf(
      "1,000,000 %s, steps of 1,000: longest %.2f ms of CPU, %.0f ns a timer, at most %lu gets and %lu "
      "puts\n",
      what, longest, sum * 1e6 / kTimers, most_gets, most_puts);
}

TEST(timers_cost, a_million_in_one_second) { a_million_at("within one second", 1'000'000); }
TEST(timers_cost, a_million_in_one_microsecond) { a_million_at("at one microsecond", 1); }

// A key in the state's table costs 40 bytes at a load of 0.4 to 0.8, a blob a quarter of room to grow and 8
// bytes of the allocator (state/blob_table.h).
double table_bytes(const TestStore& store) {
  double sum = 0;
  for (const auto& [key, blob] : store.blobs) sum += 40 / 0.6 + 1.25 * static_cast<double>(blob.size()) + 16;
  return sum;
}

// Spread evenly over a month, at every phase between two openings of all pages.
TEST(timers_cost, bytes_of_a_pending_timer) {
  TestStore store;
  Timers timers(store);
  std::mt19937_64 random(1);
  const auto due = [&] {
    return kStart + Duration(static_cast<int64_t>(random() % (30ull * 86'400'000'000)));
  };
  uint64_t number = 0;
  for (uint64_t count = 20'000; count < 700'000; count = count * 4 / 3) {
    while (number < count) timers.set(timer_of(due(), number++));
    const Layout layout = checked_layout(store);
    const double n = static_cast<double>(count);
    const double bytes = table_bytes(store) / n;
    std::printf(
        "%7lu timers: %6lu pages %5lu wheels, %.1f bytes a timer in blobs, %.1f in the state's table\n",
        count, layout.pages, layout.wheels, static_cast<double>(layout.bytes) / n, bytes);
    EXPECT_LT(static_cast<double>(layout.bytes) / n, 46);
    EXPECT_LT(bytes, 70);
  }
}

// The worst that cancelling can leave: one timer in each page.
TEST(timers_cost, bytes_after_nearly_all_are_cancelled) {
  TestStore store;
  Timers timers(store);
  std::vector<Timer> all;
  for (uint64_t i = 0; i < 200'000; ++i)
    all.push_back(
        timer_of(kStart + Duration::seconds(static_cast<int64_t>(id_of(i).hash.low % 2'600'000)), i));
  for (const Timer& timer : all) timers.set(timer);
  for (size_t i = 0; i < all.size(); ++i) {
    if (i % 100 != 0) timers.cancel(all[i].due, all[i].id);
  }
  EXPECT_LE(checked_layout(store).wheels, checked_layout(store).pages);
  const double bytes = table_bytes(store) / static_cast<double>(timers.pending());
  std::printf("%lu of 200,000 timers left: %.0f bytes each in the state's table\n", timers.pending(), bytes);
  EXPECT_LT(bytes, 300);
}

}  // namespace
}  // namespace kehu::timer
