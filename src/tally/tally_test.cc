#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>

#include "base/test_rounds.h"
#include "interpreter/test_random_histories.h"
#include "rule/test_random_rules.h"
#include "tally/folder.h"
#include "tally/totals.h"

// Tallies of any order and any split of events are the same bytes, and bytes that are damaged are refused or
// count for something, and never more than that.
namespace kehu::tally {
namespace {

uint64_t first_seed() {
  const char* given = std::getenv("KEHU_SEED");
  return given == nullptr ? std::random_device()() : std::strtoull(given, nullptr, 10);
}

void collect(const rule::Node& node, const std::string& zone, std::map<std::string, Spec>& specs) {
  if (is_aggregate(node.op)) {
    for (const Spec& spec : specs_of(node, zone)) specs.emplace(spec.key(), spec);
    return;
  }
  for (const rule::Node& child : node.of) collect(child, zone, specs);
}

// The tallies of some random rules, and events for them.
class Counted {
 public:
  explicit Counted(uint64_t seed) : random_(seed), history_(seed, {}), plan_(specs(seed), fields_) {
    events_ = history_.events_of(0);
  }

  // All events in an order of their own, split into parts that are merged in an order of their own.
  std::string any_way() {
    std::shuffle(events_.begin(), events_.end(), random_);
    std::vector<std::string> parts(1 + random_() % 4);
    for (const Event& event : events_) fold(event, parts[random_() % parts.size()]);
    while (parts.size() > 1) {
      std::shuffle(parts.begin(), parts.end(), random_);
      std::string out;
      EXPECT_TRUE(folder_.merge(plan_, parts[0], parts[1], out).ok());
      parts.erase(parts.begin());
      parts[0] = out;
    }
    return parts[0];
  }
  void fold(const Event& event, std::string& part) {
    property::EventFields read;
    read.read(event.type == EventType::kTrack ? fields_.of(event.name_id(), event.source) : nullptr,
              event.properties);
    std::string out;
    const auto counted = folder_.fold(plan_, part, {event, read, source_of(event)}, out);
    ASSERT_TRUE(counted.ok());
    if (*counted) part = out;
  }
  // What may be done with bytes that are damaged; whether they were held for sound.
  bool try_all(const std::string& bytes) {
    std::string out, twice;
    for (size_t i = 0; i < std::min<size_t>(events_.size(), 3); ++i) {
      property::EventFields read;
      const Event& event = events_[i];
      read.read(event.type == EventType::kTrack ? fields_.of(event.name_id(), event.source) : nullptr,
                event.properties);
      (void)folder_.fold(plan_, bytes, {event, read, source_of(event)}, out);
    }
    Totals totals;
    const std::string_view parts[] = {bytes, bytes};
    totals.open(plan_, parts);
    for (uint32_t i = 0; i < plan_.size(); ++i) (void)totals.of(i);
    if (!folder_.merge(plan_, bytes, bytes, out).ok()) return false;
    EXPECT_TRUE(folder_.merge(plan_, out, "", twice).ok()) << "what was written can be read";
    return true;
  }
  uint64_t random() { return random_(); }

 private:
  std::string_view source_of(const Event& event) const {
    return history_.facts_of(0).source_name(event.source);
  }
  std::vector<std::pair<TallyId, Spec>> specs(uint64_t seed) {
    std::map<std::string, Spec> all;
    rule::RandomRules rules(seed, {});
    for (int i = 0; i < 6; ++i) collect(rules.segment("x").body, history_.moment().zone.name(), all);
    std::vector<std::pair<TallyId, Spec>> out;
    uint32_t id = 0;
    for (const auto& [key, spec] : all)
      out.emplace_back(TallyId(id += static_cast<uint32_t>(1 + random_() % 3)), spec);
    return out;
  }

  std::mt19937_64 random_;
  interpreter::RandomHistory history_;
  property::FieldPlan fields_;
  Plan plan_;
  std::vector<Event> events_;
  Folder folder_;
};

TEST(Tally, AnyOrderAndAnySplitIsTheSameBytes) {
  const uint64_t seed = first_seed();
  for (int i = 0; i < rounds(5'000, 300'000); ++i) {
    const uint64_t round = seed + static_cast<uint64_t>(i);
    Counted counted(round);
    const std::string bytes = counted.any_way();
    for (int again = 0; again < 3; ++again) {
      ASSERT_EQ(counted.any_way(), bytes) << "KEHU_SEED=" << round << " repeats it";
    }
  }
}

TEST(Tally, DamageIsRefusedOrHarmless) {
  const uint64_t seed = first_seed();
  size_t refused = 0;
  for (int i = 0; i < rounds(300, 20'000); ++i) {
    const uint64_t round = seed + static_cast<uint64_t>(i);
    SCOPED_TRACE(round);
    Counted counted(round);
    const std::string bytes = counted.any_way();
    ASSERT_TRUE(counted.try_all(bytes));
    for (size_t size = 0; size < bytes.size(); size += 1 + size / 64) {
      refused += counted.try_all(bytes.substr(0, size)) ? 0 : 1;
    }
    for (int flips = 0; !bytes.empty() && flips < 200; ++flips) {
      std::string damaged = bytes;
      for (uint64_t count = 1 + counted.random() % 4; count > 0; --count) {
        const uint64_t bit = counted.random() % (8 * bytes.size());
        damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
      }
      refused += counted.try_all(damaged) ? 0 : 1;
    }
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(refused, 0u);
}

}  // namespace
}  // namespace kehu::tally
