#include <benchmark/benchmark.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/text.h"
#include "lake/lake.h"
#include "os/posix_file_system.h"
#include "query/result_text.h"
#include "query/session.h"

// What a row of a 400-byte event costs in the lake: into the tail, into Parquet, and when it is asked for.
namespace kehu::lake {
namespace {

constexpr int64_t kStart = 1'767'225'600;

// Like the demo's events: ids and JSON that repeat as shops' data does.
class Events {
 public:
  explicit Events(uint64_t count) : kept_(count) {
    for (uint64_t n = 0; n < count; ++n) fill(kept_[n], n);
  }
  std::vector<Row> rows(uint64_t first_sequence) const {
    std::vector<Row> rows;
    for (uint64_t n = 0; n < kept_.size(); ++n) {
      rows.push_back({Sequence(first_sequence + n), kept_[n].customer, Token{kept_[n].customer.hash},
                      "web shop", &kept_[n].event});
    }
    return rows;
  }
  static CustomerId customer(uint64_t n) { return CustomerId{hash128(cat("customer ", n % 50'000))}; }

 private:
  struct Kept {
    Event event;
    CustomerId customer;
    std::string message_id;
    std::string anonymous;
    std::string properties;
    std::string context;
    std::vector<Identifier> identifiers;
  };
  static void fill(Kept& kept, uint64_t n) {
    static constexpr std::string_view kNames[] = {"Product Viewed", "Product Added", "Order Completed",
                                                  "Page"};
    const uint64_t random = hash64(cat(n));
    kept.customer = customer(random);
    kept.message_id = hash128(cat("m", n)).hex();
    kept.anonymous = hash128(cat("a", random % 50'000)).hex();
    kept.properties = cat("{\"product_id\":\"sku-", random % 5000, "\",\"name\":\"Running shoe ",
                          random % 5000, "\",\"price\":", random % 1000, ".", random % 100,
                          ",\"quantity\":", random % 3, ",\"currency\":\"CNY\",\"category\":\"shoes\"}");
    kept.context = cat("{\"ip\":\"10.0.", random % 256,
                       ".1\",\"userAgent\":\"Mozilla/5.0 (X11; Linux x86_64)\","
                       "\"page\":{\"path\":\"/p/",
                       random % 5000, "\"}}");
    kept.identifiers.push_back(
        {.type = IdentifierTypeId(8), .token = Token{kept.customer.hash}, .value = kept.anonymous});
    Event& event = kept.event;
    event.project = ProjectId(1);
    event.channel = Channel::kWeb;
    event.time = Instant::from_seconds(kStart) + Duration::millis(static_cast<int64_t>(n));
    event.original_time = event.time;
    event.received_at = event.time + Duration::millis(20);
    event.message_id = kept.message_id;
    event.name = kNames[random % 4];
    event.properties = kept.properties;
    event.context = kept.context;
    event.identifiers = kept.identifiers;
  }
  std::vector<Kept> kept_;
};

LakeOptions options_in(const std::string& directory) {
  std::filesystem::remove_all(directory);
  LakeOptions options;
  options.directory = directory + "/lake";
  options.temp_directory = directory + "/tmp";
  options.settings = std::make_shared<Settings>(Settings::defaults());
  options.files = &os::posix_file_system();
  options.clock = &os::system_clock();
  options.tail_bytes = 4ull << 30;
  return options;
}

std::string directory() {
  const char* parent = std::getenv("KEHU_BENCH_DIR");
  return cat(parent != nullptr ? parent : "/tmp", "/kehu_lake_bench");
}

// Argument: rows in a commit.
void append_and_commit(benchmark::State& state) {
  const auto count = static_cast<uint64_t>(state.range(0));
  const Events events(count);
  auto lake = *Lake::open(options_in(directory()));
  uint64_t sequence = 1;
  for (auto _ : state) {
    state.PauseTiming();
    const std::vector<Row> rows = events.rows(sequence);
    state.ResumeTiming();
    for (uint64_t at = 0; at < count; at += 1000) {
      const auto batch = absl::MakeConstSpan(rows).subspan(at, 1000);
      lake->append(batch);
    }
    sequence += count;
    if (!lake->commit(Sequence(sequence - 1)).ok()) state.SkipWithError("commit");
  }
  const LakeCounters counters = lake->counters();
  const auto rows = static_cast<double>(counters.rows_committed);
  const auto per_row = [&](Duration d) { return static_cast<double>(d.micros()) * 1000 / rows; };
  state.SetItemsProcessed(static_cast<int64_t>(counters.rows_committed));
  state.counters["append_ns"] = per_row(counters.append_time);
  state.counters["parquet_ns"] = per_row(counters.write_time);
  state.counters["sync_ns"] = per_row(counters.sync_time);
  state.counters["log_ns"] = per_row(counters.log_time);
  state.counters["bytes_per_row"] = static_cast<double>(counters.bytes_written) / rows;
}
BENCHMARK(append_and_commit)
    ->Arg(10'000)
    ->Arg(300'000)
    ->Iterations(8)
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime()
    ->UseRealTime();

// A lake of 3 M rows in files, not compacted and compacted, and 100 k rows in the tail.
struct Filled {
  std::unique_ptr<Lake> lake;
  std::unique_ptr<query::Reader> reader;
  std::unique_ptr<query::Session> session;
  double compaction_ns = 0;

  explicit Filled(bool compacted) {
    const Events events(300'000);
    lake = *Lake::open(options_in(directory()));
    for (uint64_t i = 0; i < 10; ++i) {
      lake->append(events.rows(1 + i * 300'000));
      lake->commit(Sequence((i + 1) * 300'000)).IgnoreError();
    }
    const Duration start = os::system_clock().monotonic();
    while (compacted && *lake->maintain()) {
    }
    compaction_ns = static_cast<double>((os::system_clock().monotonic() - start).micros()) / 3000;
    lake->append(absl::MakeConstSpan(events.rows(3'000'001)).subspan(0, 100'000));
    reader = *query::Reader::open(*lake, {.temp_directory = directory() + "/query"});
    session = *reader->connect();
  }
};

Filled& filled(bool compacted) {
  static std::unique_ptr<Filled> lakes[2];
  if (lakes[compacted] == nullptr) {
    lakes[!compacted].reset();
    lakes[compacted] = std::make_unique<Filled>(compacted);
  }
  return *lakes[compacted];
}

void sql(benchmark::State& state, const char* text) {
  Filled& lake = filled(state.range(0) == 1);
  for (auto _ : state) {
    auto result = lake.session->start(text, query::Format::kCsv);
    if (!result.ok()) return state.SkipWithError("sql");
    std::string out;
    for (bool more = true; more; out.clear()) more = (*result)->next(out).value_or(false);
  }
  state.counters["compaction_ns_per_row"] = lake.compaction_ns;
}

void timeline(benchmark::State& state) {
  Filled& lake = filled(state.range(0) == 1);
  uint64_t n = 0;
  for (auto _ : state) {
    query::TimelineRequest request;
    request.parts = {Token{Events::customer(n++).hash}};
    if (!lake.session->timeline(request).ok()) state.SkipWithError("timeline");
  }
}

BENCHMARK_CAPTURE(sql, one, "SELECT 1")->Arg(0)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(sql, count, "SELECT count(*) FROM events")
    ->Arg(0)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(sql, trend, "SELECT event, date_trunc('hour', time), count(*) FROM events GROUP BY ALL")
    ->Arg(0)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(sql, customers, "SELECT count(DISTINCT customer_id) FROM events")
    ->Arg(0)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(timeline)->Arg(0)->Arg(1)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(sql, trend_compacted,
                  "SELECT event, date_trunc('hour', time), count(*) FROM events GROUP BY ALL")
    ->Arg(1)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace kehu::lake

BENCHMARK_MAIN();
