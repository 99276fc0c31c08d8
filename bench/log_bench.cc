#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/text.h"
#include "duplicates/duplicates.h"
#include "log/batch_builder.h"
#include "log/reader.h"
#include "log/writer.h"
#include "os/posix_file_system.h"

// What an event of 400 bytes costs in the log, in commits of 2,000. KEHU_BENCH_DIR names the disk to measure
// (default: the working directory).
namespace kehu {
namespace {

constexpr int kEventsPerCommit = 2000;
constexpr size_t kEventBytes = 400;

class Scratch {
 public:
  Scratch() {
    const char* parent = ::getenv("KEHU_BENCH_DIR");
    path_ = std::string(parent ? parent : ".") + "/log_bench.XXXXXX";
    if (::mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~Scratch() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::unique_ptr<log::Writer> open_log(const std::string& directory, uint64_t retention_bytes) {
  auto writer = log::Writer::open(os::posix_file_system(),
                                  {.directory = directory, .retention_bytes = retention_bytes, .log_id = {}});
  if (!writer.ok()) std::abort();
  return *std::move(writer);
}

// A third random ids, the rest JSON that repeats from event to event, as records of shops do.
std::vector<std::string> sample_events() {
  std::vector<std::string> events;
  for (uint64_t n = 0; n < kEventsPerCommit; ++n) {
    const Hash128 id = hash128({reinterpret_cast<const char*>(&n), sizeof(n)});
    std::string event(reinterpret_cast<const char*>(&id), sizeof(id));
    event += cat(hash128(event).hex(), R"j({"product_id":"sku-)j", id.low % 5000, R"j(","price":)j",
                 id.low % 9999);
    event += cat(R"j(.90,"quantity":)j", n % 3,
                 R"j(,"currency":"CNY","category":"shoes","name":"Shoe"}{"ip":"10.0.)j");
    event += cat(n % 256, R"j(.1","userAgent":"Mozilla/5.0 (X11; Linux x86_64)","page":{"path":"/p/)j",
                 id.high % 5000);
    event += cat(R"j(","title":"Running shoe"}})j", hash128(id.hex()).hex());
    event.resize(kEventBytes, ' ');
    events.push_back(std::move(event));
  }
  return events;
}

void fill(log::BatchBuilder& builder) {
  static const std::vector<std::string> events = sample_events();
  builder.clear();
  for (const std::string& event : events) builder.add(RecordKind::kEvent, event);
}

void commit(benchmark::State& state, log::Writer& writer, log::BatchBuilder& builder) {
  fill(builder);
  if (!writer.commit(builder, Instant(1)).ok()) state.SkipWithError("commit failed");
  writer.protect(writer.next_sequence());
}

void report(benchmark::State& state, int64_t events) {
  state.SetItemsProcessed(events);
  state.counters["ns/event"] = benchmark::Counter(static_cast<double>(events) * 1e-9,
                                                  benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

// Segments that were written before, as in a server that has run for a while.
void append_recycled(benchmark::State& state) {
  const Scratch scratch;
  auto writer = open_log(scratch.path(), 3u * (64u << 20));
  log::BatchBuilder builder;
  while (writer->first_segment() < log::SegmentNumber(3)) commit(state, *writer, builder);
  for (auto _ : state) commit(state, *writer, builder);
  report(state, state.iterations() * kEventsPerCommit);
}
BENCHMARK(append_recycled)->Unit(benchmark::kMicrosecond)->UseRealTime();

// A new log: the next segment is filled with zeros beside the commits.
void append_new_log(benchmark::State& state) {
  const Scratch scratch;
  auto writer = open_log(scratch.path(), 64ull << 30);
  log::BatchBuilder builder;
  for (auto _ : state) commit(state, *writer, builder);
  report(state, state.iterations() * kEventsPerCommit);
}
BENCHMARK(append_new_log)->Unit(benchmark::kMicrosecond)->UseRealTime()->Iterations(800);

// The same batches into a file that grows, with nothing but write and fdatasync.
void append_growing_file(benchmark::State& state) {
  const Scratch scratch;
  auto file = os::posix_file_system().open(scratch.path() + "/file", os::OpenMode::kCreateNew);
  const std::string batch(kEventsPerCommit * (kEventBytes + 5), 'e');
  for (auto _ : state) {
    if (!(*file)->append(batch).ok() || !(*file)->sync().ok()) state.SkipWithError("append failed");
  }
  report(state, state.iterations() * kEventsPerCommit);
}
BENCHMARK(append_growing_file)->Unit(benchmark::kMicrosecond)->UseRealTime()->Iterations(800);

void read_log(benchmark::State& state) {
  const Scratch scratch;
  {
    auto writer = open_log(scratch.path(), 64ull << 30);
    log::BatchBuilder builder;
    for (int i = 0; i < 600; ++i) commit(state, *writer, builder);
  }
  int64_t bytes = 0;
  for (auto _ : state) {
    auto reader = log::Reader::open(os::posix_file_system(), scratch.path(), Sequence(1));
    log::Batch batch;
    while (*reader->next(batch)) {
      for (const log::RecordView record : batch) bytes += static_cast<int64_t>(record.payload.size());
    }
  }
  state.SetBytesProcessed(bytes);
}
BENCHMARK(read_log)->Unit(benchmark::kMillisecond)->UseRealTime();

Hash128 key_of(uint64_t number) { return hash128({reinterpret_cast<const char*>(&number), sizeof(number)}); }

constexpr int kWave = 64;

// A filter with `messages` of them, spread over segments as a log would.
class FilledFilter {
 public:
  explicit FilledFilter(int64_t messages)
      : filter_(*duplicates::DuplicateFilter::load(os::posix_file_system(), scratch_.path(), nullptr)) {
    while (number_ < static_cast<uint64_t>(messages)) check(number_++);
  }

  duplicates::Verdict check(uint64_t number) { return check(key_of(number)); }
  duplicates::Verdict check(const Hash128& key) {
    return filter_.check_and_add({.key = key, .body_hash = 1},
                                 log::SegmentNumber(1 + static_cast<uint32_t>(number_ / 160'000)));
  }
  void check_wave() {
    filter_.prefetch(wave_);
    for (const Hash128& key : wave_) benchmark::DoNotOptimize(check(key));
  }
  void next_new_wave() {
    for (Hash128& key : wave_) key = key_of(number_++);
  }
  void next_repeated_wave() {
    for (Hash128& key : wave_) key = key_of(hash64({reinterpret_cast<const char*>(&++draw_), 8}) % number_);
  }
  double bytes_per_message() const {
    return static_cast<double>(filter_.memory_bytes()) / static_cast<double>(filter_.size());
  }

 private:
  const Scratch scratch_;
  duplicates::DuplicateFilter filter_;
  uint64_t number_ = 0;
  uint64_t draw_ = 0;
  std::vector<Hash128> wave_ = std::vector<Hash128>(kWave);
};

void check_repeated(benchmark::State& state) {
  FilledFilter filter(state.range(0));
  for (auto _ : state) {
    filter.next_repeated_wave();
    filter.check_wave();
  }
  state.SetItemsProcessed(state.iterations() * kWave);
  state.counters["bytes/message"] = filter.bytes_per_message();
}
BENCHMARK(check_repeated)->Arg(1'000'000)->Arg(20'000'000);

// With the growth that new messages cause.
void check_new(benchmark::State& state) {
  FilledFilter filter(state.range(0));
  for (auto _ : state) {
    filter.next_new_wave();
    filter.check_wave();
  }
  state.SetItemsProcessed(state.iterations() * kWave);
  state.counters["bytes/message"] = filter.bytes_per_message();
}
BENCHMARK(check_new)->Arg(1'000'000)->Arg(20'000'000)->Iterations(30'000);

}  // namespace
}  // namespace kehu

BENCHMARK_MAIN();
