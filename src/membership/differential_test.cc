#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "base/test_rounds.h"
#include "interpreter/interpreter.h"
#include "interpreter/test_random_histories.h"
#include "membership/test_customer.h"
#include "rule/test_random_rules.h"
#include "tally/spec.h"

// What rules come to, kept up by counting, is what the interpreter computes from all events: at the moment of
// a history, whatever the order in which its events came and the parts they belong to, and until the moment
// that the answer names.
namespace kehu::membership {
namespace {

using interpreter::RandomHistory;

// Another one in each run, or that of a run to repeat.
uint64_t first_seed() {
  const char* given = std::getenv("KEHU_SEED");
  return given == nullptr ? std::random_device()() : std::strtoull(given, nullptr, 10);
}

const std::vector<std::string> kSegments = {"vips", "sleepers"}, kTags = {"stage", "taste"},
                               kLists = {"vip", "名单"};

class Compared {
 public:
  Compared(uint64_t seed, const rule::Node& tree)
      : tree_(tree),
        history_(seed, {.segments = kSegments, .tags = kTags, .lists = kLists}),
        rule_(tree, history_.moment().zone.name()) {}

  void run() {
    FoldedCustomer customer(rule_, history_.facts_of(0), 3);
    std::vector<Event> events = history_.events_of(0);
    for (const Event& event : events) customer.fold(event, history_.below(3));
    const Instant now = history_.moment().now;
    const Answer answer = customer.answer_at(now);
    ASSERT_EQ(plain(events, now), answer.value) << describe(now);
    ASSERT_GT(answer.until, now) << describe(now);
    stays_until(customer, events, answer);
    same_bytes(customer, events);
    EXPECT_TRUE(customer.ok());
  }

 private:
  rule::Value plain(const std::vector<Event>& events, Instant now) const {
    return interpreter::evaluate(tree_, events, history_.facts_of(0), {now, history_.moment().zone});
  }
  std::string describe(Instant now) const {
    return cat(tally::name_of(tree_), "\n at ", history_.moment().zone.format(now), " in ",
               history_.moment().zone.name());
  }
  // Just before the answer may change it has not; and from there on it is right again.
  void stays_until(FoldedCustomer& customer, const std::vector<Event>& events, const Answer& answer) {
    const Instant now = history_.moment().now;
    const Instant until = std::min(answer.until, now + Duration::days(400));
    std::vector<Instant> moments = {until - Duration(1)};
    for (int i = 0; i < 3; ++i) {
      moments.push_back(
          now + Duration(static_cast<int64_t>(static_cast<uint64_t>(history_.below(1'000'000)) *
                                              static_cast<uint64_t>((until - now).micros()) / 1'000'000)));
    }
    for (const Instant moment : moments) {
      if (moment < now || moment >= until) continue;
      ASSERT_EQ(plain(events, moment), answer.value) << "too late; " << describe(moment);
    }
    if (until < answer.until) return;
    ASSERT_EQ(plain(events, until), customer.answer_at(until).value) << "later; " << describe(until);
  }
  void same_bytes(FoldedCustomer& customer, std::vector<Event> events) {
    FoldedCustomer other(rule_, history_.facts_of(0), 1);
    std::shuffle(events.begin(), events.end(), std::mt19937_64(events.size()));
    for (const Event& event : events) other.fold(event, 0);
    EXPECT_EQ(customer.merged(), other.merged()) << describe(history_.moment().now);
  }

  const rule::Node& tree_;
  RandomHistory history_;
  CompiledRule rule_;
};

bool is_expression(const rule::Node& node) {
  return node.op != rule::Op::kEvents && node.op != rule::Op::kStep && node.op != rule::Op::kNotStep &&
         node.op != rule::Op::kList && node.op != rule::Op::kSpan;
}

// The smallest part of a tree that comes to something else than the interpreter says.
const rule::Node* smallest_wrong(uint64_t seed, const rule::Node& tree) {
  RandomHistory history(seed, {.segments = kSegments, .tags = kTags, .lists = kLists});
  const CompiledRule rule(tree, history.moment().zone.name());
  FoldedCustomer customer(rule, history.facts_of(0), 1);
  const std::vector<Event> events = history.events_of(0);
  for (const Event& event : events) customer.fold(event, 0);
  const Instant now = history.moment().now;
  const rule::Value plain = interpreter::evaluate(tree, events, history.facts_of(0), history.moment());
  if (!rule::is_aggregate(tree.op)) {
    for (const rule::Node& child : tree.of) {
      const rule::Node* wrong = is_expression(child) ? smallest_wrong(seed, child) : nullptr;
      if (wrong != nullptr) return wrong;
    }
  }
  return customer.answer_at(now).value == plain ? nullptr : &tree;
}

TEST(Differential, CountingComesToWhatTheInterpreterSays) {
  const uint64_t seed = first_seed();
  for (int i = 0; i < rounds(20'000, 1'000'000); ++i) {
    const uint64_t round_seed = seed + static_cast<uint64_t>(i);
    rule::RandomRules rules(round_seed, {.segments = kSegments, .tags = kTags, .lists = kLists});
    const rule::Node tree = i % 2 == 0 ? rules.tag("x").body : rules.segment("x").body;
    Compared(round_seed, tree).run();
    if (!testing::Test::HasFailure()) continue;
    const rule::Node* wrong = smallest_wrong(round_seed, tree);
    FAIL() << "KEHU_SEED=" << round_seed << " repeats it; wrong is "
           << tally::name_of(wrong == nullptr ? tree : *wrong);
  }
}

}  // namespace
}  // namespace kehu::membership
