// What identity costs per event, over a hash map in memory: the costs of real stores are for their own
// benchmark.

#include <benchmark/benchmark.h>

#include <vector>

#include "absl/container/flat_hash_map.h"
#include "identity/graph.h"

namespace kehu::identity {
namespace {

class TableStore : public BlobStore {
 public:
  std::string_view get(const Hash128& key) override {
    const auto found = blobs_.find(key);
    return found == blobs_.end() ? std::string_view() : found->second;
  }
  void put(const Hash128& key, std::string_view bytes) override { blobs_[key].assign(bytes); }
  void erase(const Hash128& key) override { blobs_.erase(key); }
  void prefetch(absl::Span<const Hash128>) override {}
  void for_each(const std::function<void(const Hash128&, std::string_view)>& visit) override {
    for (const auto& [key, bytes] : blobs_) visit(key, bytes);
  }
  size_t bytes() const {
    size_t sum = 0;
    for (const auto& [key, blob] : blobs_) sum += sizeof(key) + blob.size();
    return sum;
  }

 private:
  absl::flat_hash_map<Hash128, std::string> blobs_;
};

Identifier identifier(IdentifierTypeId type, uint64_t number) {
  Identifier identifier;
  identifier.type = type;
  identifier.token.hash = hash128({reinterpret_cast<const char*>(&number), sizeof(number)}, type.value());
  identifier.value = "0123456789ab";
  return identifier;
}

class Town {
 public:
  Town() : settings_(Settings::defaults()), graph_(settings_, nodes_, groups_) {}

  // An event of user and device `number`.
  Resolution resolve(uint64_t number, size_t identifiers) {
    const Identifier both[] = {identifier(user_, number), identifier(device_, number)};
    Event event;
    event.time = event.received_at = Instant::from_seconds(1'790'000'000);
    event.message_id = "0b9e9c4a-96a8-4d0b-b1d5-6a7c0d2a6c55";
    event.identifiers = absl::MakeSpan(both).subspan(2 - identifiers);
    last_ = last_.next();
    return graph_.resolve(event, last_);
  }
  Resolution resolve(absl::Span<const Identifier> identifiers) {
    Event event;
    event.time = event.received_at = Instant::from_seconds(1'790'000'000);
    event.message_id = "0b9e9c4a-96a8-4d0b-b1d5-6a7c0d2a6c55";
    event.identifiers = identifiers;
    last_ = last_.next();
    return graph_.resolve(event, last_);
  }
  size_t bytes() const { return nodes_.bytes() + groups_.bytes(); }

  const IdentifierTypeId user_{0};
  const IdentifierTypeId device_{8};

 private:
  Settings settings_;
  TableStore nodes_, groups_;
  Graph graph_;
  Sequence last_;
};

constexpr uint64_t kCustomers = 4096;  // fits the cache with its blobs

void known_identifiers(benchmark::State& state) {
  const size_t identifiers = static_cast<size_t>(state.range(0));
  Town town;
  std::vector<std::vector<Identifier>> events;
  for (uint64_t i = 0; i < kCustomers; ++i) {
    town.resolve(i, 2);
    events.push_back({identifier(town.user_, i), identifier(town.device_, i)});
    events.back().resize(identifiers);
  }
  uint64_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(town.resolve(events[i++ % kCustomers]));
}
BENCHMARK(known_identifiers)->Arg(1)->Arg(2);

void new_customer(benchmark::State& state) {
  Town town;
  uint64_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(town.resolve(i++, static_cast<size_t>(state.range(0))));
  state.counters["bytes_per_customer"] = static_cast<double>(town.bytes()) / static_cast<double>(i);
}
BENCHMARK(new_customer)->Arg(1)->Arg(2)->Iterations(20'000);

// An anonymous customer becomes known: the user id joins it.
void anonymous_becomes_known(benchmark::State& state) {
  Town town;
  uint64_t i = 0;
  for (auto _ : state) {
    state.PauseTiming();
    town.resolve(++i, 1);
    state.ResumeTiming();
    benchmark::DoNotOptimize(town.resolve(i, 2));
  }
}
BENCHMARK(anonymous_becomes_known)->Iterations(100'000);

// The event of a second user on the first one's device, again and again.
void refused_again(benchmark::State& state) {
  Town town;
  const Identifier first[] = {identifier(town.user_, 1), identifier(town.device_, 1)};
  const Identifier second[] = {identifier(town.user_, 2), identifier(town.device_, 1)};
  town.resolve(first);
  for (auto _ : state) benchmark::DoNotOptimize(town.resolve(second));
}
BENCHMARK(refused_again);

// A further device of a customer that has `range` already.
void device_joins_large_customer(benchmark::State& state) {
  Settings settings = Settings::defaults();
  settings.identifier_types[8].limit = 0;
  TableStore nodes, groups;
  Graph graph(settings, nodes, groups);
  Event event;
  uint64_t sequence = 0;
  for (int64_t i = 0; i + 1 < state.range(0); ++i) {
    const Identifier both[] = {identifier(IdentifierTypeId(0), 1), identifier(IdentifierTypeId(8), sequence)};
    event.identifiers = both;
    graph.resolve(event, Sequence(++sequence));
  }
  const uint64_t kept = sequence;
  for (auto _ : state) {
    const Identifier both[] = {identifier(IdentifierTypeId(0), 1), identifier(IdentifierTypeId(8), sequence)};
    event.identifiers = both;
    benchmark::DoNotOptimize(graph.resolve(event, Sequence(++sequence)));
    if (sequence - kept >= 8) state.SkipWithError("the customer has grown");
  }
}
BENCHMARK(device_joins_large_customer)->Arg(10)->Arg(100)->Arg(900)->Iterations(5);

}  // namespace
}  // namespace kehu::identity

BENCHMARK_MAIN();
