#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "base/check.h"
#include "base/text.h"
#include "codec/record.h"
#include "codec/settings_json.h"
#include "demo/load_profile.h"
#include "load/rule_load.h"
#include "notation/parse.h"
#include "shard/shard.h"
#include "store/map_store.h"

// What rules cost an event: a shard over maps applies events of twenty names by 2,000 customers, one an hour
// each, with so many rules.
namespace kehu {
namespace {

constexpr size_t kCustomers = 2'000;

std::vector<membership::RuleVersion> rules_of(size_t count) {
  std::string text;
  for (size_t n = 0; n < count; ++n) text += load::bench_rule(n) + "\n";
  std::vector<rule::Definition> definitions;
  KEHU_CHECK(!notation::parse_file(text, definitions));
  std::vector<membership::RuleVersion> versions;
  for (rule::Definition& definition : definitions) {
    versions.push_back({Sequence(1), std::move(definition), "Asia/Shanghai"});
  }
  return versions;
}

class Events {
 public:
  std::string next(Instant now) {
    static const std::string_view kCategories[] = {"snacks", "toys", "shoes"};
    const uint64_t user = random_() % kCustomers;
    const std::string name = cat("u", user);
    Identifier identifier;
    identifier.type = IdentifierTypeId(0);
    identifier.token = Token{hash128(name)};
    identifier.value = name;
    const std::string properties =
        cat("{\"product_id\":\"p", random_() % 1000, "\",\"brand\":\"acme\",\"category\":\"",
            kCategories[random_() % 3], "\",\"price\":", random_() % 300,
            ".5,\"quantity\":1,\"currency\":\"CNY\"}");
    Event event;
    event.project = ProjectId(1);
    event.source = SourceId(1);
    event.channel = Channel::kApp;
    event.time = event.original_time = event.received_at = now;
    event.message_key = Hash128{random_(), random_()};
    event.name = demo::LoadProfile::kMixedEvents[random_() % 20];
    event.properties = properties;
    event.traits = event.context = "{}";
    event.identifiers = {&identifier, 1};
    std::string bytes;
    codec::append_event(event, bytes);
    return bytes;
  }

 private:
  std::mt19937_64 random_{7};
};

void BM_ApplyWithRules(benchmark::State& state) {
  MapStores stores;
  auto settings = std::make_shared<Settings>(Settings::defaults());
  shard::Shard shard(settings, stores);
  shard.use(rules_of(static_cast<size_t>(state.range(0))), Sequence());
  Events events;
  shard::Effects effects;
  Instant now = Instant::from_seconds(1'780'000'000);
  uint64_t sequence = 1;
  uint64_t changes = 0, due = 0;
  const auto batch = [&] {
    std::vector<std::string> bytes;
    std::vector<shard::LogRecord> records;
    for (size_t i = 0; i < 256; ++i) bytes.push_back(events.next(now));
    for (const std::string& each : bytes) records.push_back({Sequence(sequence++), RecordKind::kEvent, each});
    return std::pair(std::move(bytes), std::move(records));
  };
  // Each customer has had some fifty.
  for (size_t i = 0; i < 50 * kCustomers / 256; ++i) {
    const auto [bytes, records] = batch();
    effects.clear();
    now = now + Duration(3'600'000'000 * 256 / static_cast<int64_t>(kCustomers));
    KEHU_CHECK(shard.apply(records, now, effects).ok());
    KEHU_CHECK(shard.advance(now, Sequence(sequence++), effects).ok());
  }
  for (auto _ : state) {
    state.PauseTiming();
    const auto [bytes, records] = batch();
    effects.clear();
    now = now + Duration(3'600'000'000 * 256 / static_cast<int64_t>(kCustomers));
    state.ResumeTiming();
    KEHU_CHECK(shard.apply(records, now, effects).ok());
    KEHU_CHECK(shard.advance(now, Sequence(sequence++), effects).ok());
    changes += effects.memberships.size();
    due += effects.timers_due;
  }
  const double events_applied = static_cast<double>(state.iterations()) * 256;
  state.SetItemsProcessed(static_cast<int64_t>(events_applied));
  size_t bytes = 0;
  stores.at(Space::kCustomers).for_each([&](const Hash128&, std::string_view blob) { bytes += blob.size(); });
  state.counters["bytes_a_customer"] = static_cast<double>(bytes) / kCustomers;
  state.counters["changes_an_event"] = static_cast<double>(changes) / events_applied;
  state.counters["timers_an_event"] = static_cast<double>(due) / events_applied;
}
BENCHMARK(BM_ApplyWithRules)->Arg(0)->Arg(50)->Arg(500)->Iterations(400)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace kehu

BENCHMARK_MAIN();
