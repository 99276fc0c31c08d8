#include "interpreter/interpreter.h"

#include <gtest/gtest.h>

#include "base/test_rounds.h"
#include "interpreter/test_random_histories.h"
#include "rule/test_random_rules.h"

namespace kehu::interpreter {
namespace {

TEST(RandomHistory, SameSeedSameHistory) {
  const RandomHistory a(7, {}), b(7, {});
  ASSERT_EQ(a.arrivals().size(), b.arrivals().size());
  for (size_t i = 0; i < a.arrivals().size(); ++i) {
    EXPECT_EQ(a.arrivals()[i].event.properties, b.arrivals()[i].event.properties);
    EXPECT_EQ(a.arrivals()[i].event.time, b.arrivals()[i].event.time);
  }
}

TEST(Interpreter, TheOrderInWhichEventsComeMeansNothing) {
  const uint64_t seed = std::random_device()();
  rule::RandomRules rules(seed, {});
  size_t known = 0, yes = 0;
  for (int i = 0; i < rounds(3'000, 300'000); ++i) {
    RandomHistory history(seed + static_cast<uint64_t>(i), {});
    std::vector<Event> events = history.events_of(0);
    const rule::Node tree = i % 3 == 0 ? rules.tag("x").body : rules.segment("x").body;
    const rule::Value first = evaluate(tree, events, history.facts_of(0), history.moment());
    std::shuffle(events.begin(), events.end(), std::mt19937_64(seed));
    const rule::Value second = evaluate(tree, events, history.facts_of(0), history.moment());
    ASSERT_EQ(first, second) << "seed " << seed << ", round " << i;
    known += first.known();
    yes += first.truth;
  }
  printf("known %zu yes %zu\n", known, yes);
}

}  // namespace
}  // namespace kehu::interpreter
