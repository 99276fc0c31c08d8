// What timers cost with 10 million pending, over the table that state keeps its blobs in: what a disk adds is
// for the whole system's benchmark.

#include <benchmark/benchmark.h>

#include <random>

#include "state/blob_table.h"
#include "timer/timers.h"

namespace kehu::timer {
namespace {

class TableStore final : public BlobStore {
 public:
  std::string_view get(const Hash128& key) override {
    state::Slot* slot = table_.find(key);
    return slot == nullptr ? std::string_view() : slot->bytes();
  }
  void put(const Hash128& key, std::string_view bytes) override { table_.assign(table_.insert(key), bytes); }
  void erase(const Hash128& key) override { table_.remove(*table_.find(key)); }
  void prefetch(absl::Span<const Hash128> keys) override {
    for (const Hash128& key : keys) table_.prefetch_slot(key);
    for (const Hash128& key : keys) table_.prefetch_blob(key);
  }
  void for_each(const std::function<void(const Hash128&, std::string_view)>&) override {}
  const state::BlobTable& table() const { return table_; }

 private:
  state::BlobTable table_;
};

constexpr int64_t kPending = 10'000'000;
constexpr Instant kStart = Instant::from_seconds(1'790'000'000);
constexpr int64_t kMonth = Duration::days(30).micros();

Timer timer_of(uint64_t number, int64_t within) {
  const Hash128 bits = hash128({reinterpret_cast<const char*>(&number), sizeof(number)});
  const Instant due = kStart + Duration(static_cast<int64_t>(bits.high % static_cast<uint64_t>(within)));
  return {due, TimerId{{bits.low, bits.high}}, CustomerId{{bits.low, number}}, 1, {}};
}

void show_memory(const TableStore& store, const Timers& timers, benchmark::State& state) {
  const double pending = static_cast<double>(timers.pending());
  state.counters["bytes_per_timer"] = static_cast<double>(store.table().memory()) / pending;
  state.counters["timers_per_blob"] = pending / static_cast<double>(store.table().size());
}

// `within` microseconds from the start. The first 10 million, on average.
void set_first(benchmark::State& state) {
  for (auto _ : state) {
    TableStore store;
    Timers timers(store);
    for (uint64_t i = 0; i < kPending; ++i) timers.set(timer_of(i, state.range(0)));
    show_memory(store, timers, state);
  }
  state.SetItemsProcessed(kPending);
}
BENCHMARK(set_first)->Arg(kMonth)->Arg(1)->Iterations(1)->Unit(benchmark::kMillisecond);

struct Full {
  Full() {
    for (uint64_t i = 0; i < kPending; ++i) timers.set(timer_of(i, kMonth));
  }
  TableStore store;
  Timers timers{store};
};

// One is set and one cancelled, with 10 million pending: two operations.
void set_and_cancel(benchmark::State& state) {
  Full full;
  uint64_t i = 0;
  for (auto _ : state) {
    full.timers.set(timer_of(kPending + i, kMonth));
    const Timer old = timer_of(i++, kMonth);
    if (!full.timers.cancel(old.due, old.id)) state.SkipWithError("not found");
  }
  show_memory(full.store, full.timers, state);
}
BENCHMARK(set_and_cancel)->Iterations(2'000'000);

// A second passes: some four are due, and as many are set for a month later.
void a_second_passes(benchmark::State& state) {
  Full full;
  Instant now = kStart;
  uint64_t number = kPending, fired = 0;
  for (auto _ : state) {
    now = now + Duration::seconds(1);
    const size_t taken =
        full.timers.advance(now, 1000, [](const Timer& timer) { benchmark::DoNotOptimize(timer); });
    for (size_t i = 0; i < taken; ++i) {
      Timer timer = timer_of(number++, 1'000'000);
      timer.due = timer.due + (now - kStart) + Duration(kMonth);
      full.timers.set(timer);
    }
    fired += taken;
  }
  state.SetItemsProcessed(static_cast<int64_t>(fired));
  show_memory(full.store, full.timers, state);
}
BENCHMARK(a_second_passes)->Iterations(200'000);

// All are due at once, in steps of a thousand.
void drain(benchmark::State& state) {
  Full full;
  int64_t fired = 0;
  for (auto _ : state) {
    size_t taken = 0;
    do {
      taken = full.timers.advance(kLastInstant, 1000,
                                  [](const Timer& timer) { benchmark::DoNotOptimize(timer); });
      fired += static_cast<int64_t>(taken);
    } while (taken == 1000);
  }
  state.SetItemsProcessed(fired);
}
BENCHMARK(drain)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace kehu::timer

BENCHMARK_MAIN();
