#include "interpreter/interpreter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/test_rounds.h"
#include "interpreter/test_random_histories.h"
#include "json/index.h"
#include "rule/test_random_rules.h"

namespace kehu::interpreter {
namespace {

TEST(RandomHistory, SameSeedSameHistory) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const RandomHistory a(seed, {}), b(seed, {});
    ASSERT_EQ(a.arrivals().size(), b.arrivals().size());
    EXPECT_EQ(a.facts_of(0).traits, b.facts_of(0).traits);
    for (size_t i = 0; i < a.arrivals().size(); ++i) {
      EXPECT_EQ(a.arrivals()[i].event.properties, b.arrivals()[i].event.properties);
      EXPECT_EQ(a.arrivals()[i].event.time, b.arrivals()[i].event.time);
    }
  }
}

TEST(RandomHistory, IsWhatTheDoorLetsIn) {
  json::Index index;
  for (uint64_t seed = 0; seed < 500; ++seed) {
    const RandomHistory history(seed, {.customers = 3});
    Instant before = kFirstInstant;
    for (const RandomArrival& arrival : history.arrivals()) {
      const Event& event = arrival.event;
      EXPECT_LT(arrival.customer, 3u);
      EXPECT_EQ(index.scan(event.properties), std::nullopt) << event.properties;
      EXPECT_GE(event.received_at, before);
      EXPECT_LE(event.received_at, history.moment().now);
      EXPECT_LE(event.time, event.received_at + Duration::hours(1));
      before = event.received_at;
    }
    EXPECT_EQ(index.scan(history.facts_of(2).traits), std::nullopt) << history.facts_of(2).traits;
  }
}

TEST(Interpreter, TheOrderInWhichEventsCameMeansNothing) {
  const uint64_t seed = std::random_device()();
  rule::RandomRules rules(seed, {});
  int known = 0;
  const int count = rounds(3'000, 300'000);
  for (int i = 0; i < count; ++i) {
    const RandomHistory history(seed + static_cast<uint64_t>(i), {});
    std::vector<Event> events = history.events_of(0);
    const rule::Node tree = (i % 3 == 0 ? rules.tag("x") : rules.segment("x")).body;
    const rule::Value first = evaluate(tree, events, history.facts_of(0), history.moment());
    std::shuffle(events.begin(), events.end(), std::mt19937_64(seed));
    const rule::Value second = evaluate(tree, events, history.facts_of(0), history.moment());
    ASSERT_EQ(first, second) << "seed " << seed << ", round " << i;
    known += first.known() ? 1 : 0;
  }
  EXPECT_GT(known, count / 2);
}

// What a function says of a window is what it says of those events alone.
TEST(Interpreter, AWindowLeavesEventsOut) {
  using rule::Op;
  static constexpr Op kOps[] = {Op::kDid, Op::kCount,      Op::kSum,      Op::kAverage, Op::kMin,
                                Op::kMax, Op::kDistinct,   Op::kTop,      Op::kFirst,   Op::kLast,
                                Op::kNth, Op::kActiveDays, Op::kInterval, Op::kStage};
  const uint64_t seed = std::random_device()();
  rule::RandomRules rules(seed, {});
  for (int i = 0; i < rounds(3'000, 300'000); ++i) {
    RandomHistory history(seed + static_cast<uint64_t>(i), {});
    rule::Node node{.op = kOps[history.below(std::size(kOps))],
                    .text = "revenue",
                    .window = rules.window(),
                    .of = {rules.events()}};
    node.number = *Decimal::parse("2");
    if (node.op == Op::kStage)
      node.of = {rule::Node{.op = Op::kStep, .of = node.of},
                 rule::Node{.op = Op::kStep, .of = {rules.events()}}};
    const rule::Extent extent = rule::extent(node.window, history.moment().now, history.moment().zone);
    std::vector<Event> events = history.events_of(0);
    const rule::Value got = evaluate(node, events, history.facts_of(0), history.moment());
    std::erase_if(events, [&](const Event& event) { return !extent.contains(event.time); });
    node.window = {};
    const rule::Value want = evaluate(node, events, history.facts_of(0), history.moment());
    ASSERT_EQ(got, want) << "seed " << seed << ", round " << i << ", " << rule::to_string(node.op);
  }
}

}  // namespace
}  // namespace kehu::interpreter
