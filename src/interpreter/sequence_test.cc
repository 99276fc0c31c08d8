#include <algorithm>
#include <functional>
#include <random>

#include "base/test_rounds.h"
#include "interpreter/test_question.h"
#include "interpreter/test_random_histories.h"

namespace kehu::interpreter {
namespace {

TEST(Sequence, OneBehindTheOther) {
  const std::string_view ab = R"(sequence("A" then "B"))";
  const std::string_view ab10 = R"(sequence("A" then "B" within 10 minutes))";
  const std::string_view abc = R"(sequence("A" then "B" then "C" within 1 hour))";
  expect_answers({
      {.name = "in order",
       .rule = ab,
       .events = {"2026-03-10T09:00 A", "2026-03-10T10:00 B"},
       .want = "true"},
      {.name = "came late",
       .rule = ab,
       .events = {"2026-03-10T10:00 B", "2026-03-10T09:00 A"},
       .want = "true"},
      {.name = "the wrong way round",
       .rule = ab,
       .events = {"2026-03-10T10:00 A", "2026-03-10T09:00 B"},
       .want = "false"},
      {.name = "at one time",
       .rule = ab,
       .events = {"2026-03-10T09:00 B", "2026-03-10T09:00 A"},
       .want = "true"},
      {.name = "half of it", .rule = ab, .events = {"2026-03-10T09:00 A"}, .want = "false"},
      {.name = "others between",
       .rule = ab,
       .events = {"2026-03-10T09:00 A", "2026-03-10T09:30 C", "2026-03-10T10:00 B"},
       .want = "true"},
      {.name = "exactly in time",
       .rule = ab10,
       .events = {"2026-03-10T09:00 A", "2026-03-10T09:10 B"},
       .want = "true"},
      {.name = "a millisecond too late",
       .rule = ab10,
       .events = {"2026-03-10T09:00 A", "2026-03-10T09:10:00.001 B"},
       .want = "false"},
      {.name = "from a later A",
       .rule = ab10,
       .events = {"2026-03-10T09:00 A", "2026-03-10T09:05 A", "2026-03-10T09:12 B"},
       .want = "true"},
      {.name = "the time is that of all steps",
       .rule = abc,
       .events = {"2026-03-10T09:00 A", "2026-03-10T09:40 B", "2026-03-10T10:20 C"},
       .want = "false"},
      {.name = "of the later A and B",
       .rule = abc,
       .events = {"2026-03-10T09:00 A", "2026-03-10T09:40 B", "2026-03-10T09:41 A", "2026-03-10T09:42 B",
                  "2026-03-10T10:20 C"},
       .want = "true"},
      {.name = "a civil day",
       .rule = R"(sequence("A" then "B" within 1 day))",
       .events = {"2026-03-07T12:00 A", "2026-03-08T12:00 B"},
       .want = "true",
       .zone = "America/New_York"},
      {.name = "is not 24 hours",
       .rule = R"(sequence("A" then "B" within 24 hours))",
       .events = {"2026-03-07T12:00 A", "2026-03-08T13:00:00.001 B"},
       .want = "false",
       .zone = "America/New_York"},
      {.name = "one event takes one step",
       .rule = R"(sequence("A" then "A"))",
       .events = {"2026-03-10T09:00 A"},
       .want = "false"},
      {.name = "two take two",
       .rule = R"(sequence("A" then "A"))",
       .events = {"2026-03-10T09:00 A", "2026-03-10T09:00 A"},
       .want = "true"},
      {.name = "two take no three",
       .rule = R"(sequence("A" then any event then "A"))",
       .events = {"2026-03-10T09:00 A", "2026-03-10T09:00 B"},
       .want = "false"},
      {.name = "conditions of steps",
       .rule = R"(sequence("A" where p = 1 then "A" where p = 2))",
       .events = {R"(2026-03-10T09:00 A {"p":2})", R"(2026-03-10T09:01 A {"p":1})"},
       .want = "false"},
      {.name = "happened in the window",
       .rule = R"(sequence("A" then "B", today))",
       .events = {"2026-03-09T23:00 A", "2026-03-10T01:00 B"},
       .want = "true"},
      {.name = "happened before it",
       .rule = R"(sequence("A" then "B", today))",
       .events = {"2026-03-09T22:00 A", "2026-03-09T23:00 B", "2026-03-10T01:00 A"},
       .want = "false"},
  });
}

TEST(Sequence, OfEqualTimesInTheOrderOfSteps) {
  const std::string_view a = "2026-03-10T09:00 A", b = "2026-03-10T09:00 B";
  const std::string_view aba = R"(sequence("A" then "B" then "A"))";
  expect_answers({
      {.name = "all A before all B", .rule = aba, .events = {a, b, a}, .want = "false"},
      {.name = "but a later A", .rule = aba, .events = {a, b, "2026-03-10T09:01 A"}, .want = "true"},
      {.name = "one kind of events",
       .rule = R"(sequence("A" then "A" then "A"))",
       .events = {a, a, a},
       .want = "true"},
      {.name = "the one that is fewer steps comes first",
       .rule = R"(sequence("A" then "A" where p = 1 then any event))",
       .events = {R"(2026-03-10T09:00 A {"p":1})", a},
       .want = "false"},
      {.name = "what is no step yet comes later",
       .rule = R"(sequence("A" then "A" where p = 1 then any event))",
       .events = {R"(2026-03-10T09:00 A {"p":1})", a, b},
       .want = "true"},
      {.name = "none behind the last of them",
       .rule = R"(sequence("A" then not "A" within 10 minutes))",
       .events = {a, a},
       .want = "true"},
  });
}

TEST(Sequence, By) {
  const std::string_view rule = R"(sequence("A" then "B" by cart.id))";
  expect_answers({
      {.name = "the same",
       .rule = rule,
       .events = {R"(2026-03-10T09:00 A {"cart":{"id":7}})", R"(2026-03-10T09:01 B {"cart":{"id":"7"}})"},
       .want = "true"},
      {.name = "another",
       .rule = rule,
       .events = {R"(2026-03-10T09:00 A {"cart":{"id":7}})", R"(2026-03-10T09:01 B {"cart":{"id":8}})"},
       .want = "false"},
      {.name = "none", .rule = rule, .events = {"2026-03-10T09:00 A", "2026-03-10T09:01 B"}, .want = "false"},
      {.name = "one of a list",
       .rule = R"(sequence("A" then "B" by ids[]))",
       .events = {R"(2026-03-10T09:00 A {"ids":[1,2]})", R"(2026-03-10T09:01 B {"ids":[2,3]})"},
       .want = "true"},
      {.name = "an absence of the same",
       .rule = R"(sequence("A" then not "B" by cart.id within 10 minutes))",
       .events = {R"(2026-03-10T09:00 A {"cart":{"id":7}})", R"(2026-03-10T09:01 B {"cart":{"id":8}})"},
       .want = "true"},
      {.name = "which came",
       .rule = R"(sequence("A" then not "B" by cart.id within 10 minutes))",
       .events = {R"(2026-03-10T09:00 A {"cart":{"id":7}})", R"(2026-03-10T09:01 B {"cart":{"id":7}})"},
       .want = "false"},
  });
}

TEST(Sequence, WithoutBetween) {
  const std::string_view rule = R"(sequence("A" then not "B" then "C"))";
  expect_answers({
      {.name = "none between",
       .rule = rule,
       .events = {"2026-03-10T09:00 A", "2026-03-10T09:10 C"},
       .want = "true"},
      {.name = "one between",
       .rule = rule,
       .events = {"2026-03-10T09:00 A", "2026-03-10T09:05 B", "2026-03-10T09:10 C"},
       .want = "false"},
      {.name = "none behind another A",
       .rule = rule,
       .events = {"2026-03-10T09:00 A", "2026-03-10T09:05 B", "2026-03-10T09:07 A", "2026-03-10T09:10 C"},
       .want = "true"},
      {.name = "before and behind",
       .rule = rule,
       .events = {"2026-03-10T08:00 B", "2026-03-10T09:00 A", "2026-03-10T09:10 C", "2026-03-10T09:11 B"},
       .want = "true"},
      {.name = "at the time of A",
       .rule = rule,
       .events = {"2026-03-10T09:00 A", "2026-03-10T09:00 B", "2026-03-10T09:10 C"},
       .want = "false"},
      {.name = "at the time of C",
       .rule = rule,
       .events = {"2026-03-10T09:00 A", "2026-03-10T09:10 B", "2026-03-10T09:10 C"},
       .want = "false"},
      {.name = "steps are not between",
       .rule = R"(sequence("A" then not any event then "C"))",
       .events = {"2026-03-10T09:00 A", "2026-03-10T09:10 C"},
       .want = "true"},
  });
}

TEST(Sequence, EndsWithAnAbsence) {
  const std::string_view rule = R"(sequence("A" then not "B" within 10 minutes))";
  const std::string_view at = "2026-03-10T09:10:00.001";
  expect_answers({
      {.name = "not yet",
       .rule = rule,
       .events = {"2026-03-10T09:00 A"},
       .want = "false",
       .now = "2026-03-10T09:10:00"},
      {.name = "now", .rule = rule, .events = {"2026-03-10T09:00 A"}, .want = "true", .now = at},
      {.name = "and later", .rule = rule, .events = {"2026-03-10T09:00 A"}, .want = "true"},
      {.name = "it came",
       .rule = rule,
       .events = {"2026-03-10T09:00 A", "2026-03-10T09:10 B"},
       .want = "false"},
      {.name = "at the same time",
       .rule = rule,
       .events = {"2026-03-10T09:00 A", "2026-03-10T09:00 B"},
       .want = "false"},
      {.name = "before",
       .rule = rule,
       .events = {"2026-03-10T08:59:59.999 B", "2026-03-10T09:00 A"},
       .want = "true"},
      {.name = "it came later and ended it",
       .rule = rule,
       .events = {"2026-03-10T09:00 A", "2026-03-10T11:00 B"},
       .want = "false"},
      {.name = "ahead of its time",
       .rule = rule,
       .events = {"2026-03-10T09:00 A", "2026-03-10T12:30 B"},
       .want = "false"},
      {.name = "again",
       .rule = rule,
       .events = {"2026-03-10T09:00 A", "2026-03-10T11:00 B", "2026-03-10T11:01 A"},
       .want = "true"},
      {.name = "not of itself",
       .rule = R"(sequence("A" then not "A" within 10 minutes))",
       .events = {"2026-03-10T09:00 A"},
       .want = "true"},
      {.name = "the last one",
       .rule = R"(sequence("A" then not "A" within 10 minutes))",
       .events = {"2026-03-10T09:00 A", "2026-03-10T09:05 A"},
       .want = "true"},
      {.name = "in the window",
       .rule = R"(sequence("A" then not "B" within 10 minutes, today))",
       .events = {"2026-03-09T23:50 A"},
       .want = "true"},
      {.name = "before the window",
       .rule = R"(sequence("A" then not "B" within 10 minutes, today))",
       .events = {"2026-03-09T23:49:59.998 A"},
       .want = "false"},
      {.name = "from the first of two steps",
       .rule = R"(sequence("A" then "C" then not "B" within 10 minutes))",
       .events = {"2026-03-10T09:00 A", "2026-03-10T09:09 C"},
       .want = "true",
       .now = at},
      {.name = "not before it",
       .rule = R"(sequence("A" then "C" then not "B" within 10 minutes))",
       .events = {"2026-03-10T09:00 A", "2026-03-10T09:09 C"},
       .want = "false",
       .now = "2026-03-10T09:10:00"},
      {.name = "which counts behind the last",
       .rule = R"(sequence("A" then "C" then not "B" within 10 minutes))",
       .events = {"2026-03-10T09:00 A", "2026-03-10T09:05 B", "2026-03-10T09:09 C"},
       .want = "true"},
  });
}

TEST(Sequence, Stage) {
  const std::string_view rule = R"(stage("A" then "B" then "C"))";
  expect_answers({
      {.name = "none",
       .rule = rule,
       .events = {"2026-03-10T09:00 B", "2026-03-10T09:00 C"},
       .want = "unknown"},
      {.name = "one", .rule = rule, .events = {"2026-03-10T09:00 A"}, .want = "A"},
      {.name = "two", .rule = rule, .events = {"2026-03-10T09:01 B", "2026-03-10T09:00 A"}, .want = "B"},
      {.name = "all",
       .rule = rule,
       .events = {"2026-03-10T09:00 A", "2026-03-10T09:00 B", "2026-03-10T09:00 C"},
       .want = "C"},
      {.name = "one left out",
       .rule = rule,
       .events = {"2026-03-10T09:00 A", "2026-03-10T09:00 C"},
       .want = "A"},
      {.name = "the wrong way round",
       .rule = rule,
       .events = {"2026-03-10T09:00 B", "2026-03-10T09:01 A", "2026-03-10T09:02 C"},
       .want = "A"},
      {.name = "the furthest stays",
       .rule = rule,
       .events = {"2026-03-10T09:00 A", "2026-03-10T09:01 B", "2026-03-10T09:02 A"},
       .want = "B"},
      {.name = "in the window",
       .rule = R"(stage("A" then "B", today))",
       .events = {"2026-03-09T23:00 A", "2026-03-10T09:01 B"},
       .want = "unknown"},
      {.name = "a step twice",
       .rule = R"(stage("A" then "A" where p = 1))",
       .events = {R"(2026-03-10T09:00 A {"p":1})"},
       .want = "A"},
  });
}

// The definition of a sequence once more: every choice of events, one for each step.
class EveryChoice {
 public:
  EveryChoice(const rule::Node& node, const std::vector<Event>& events, const Moment& moment)
      : node_(node), moment_(moment) {
    for (const Event& event : events) events_.push_back({&event, steps_of(event)});
    std::sort(events_.begin(), events_.end(), comes_before);
  }

  bool happens() { return happens_from(0); }

 private:
  struct Placed {
    const Event* event;
    std::vector<bool> is;  // the step of this number
  };

  std::vector<bool> steps_of(const Event& event) const {
    std::vector<bool> out;
    for (const rule::Node& step : node_.of) {
      const std::string& name = step.of[0].text;
      out.push_back(name.empty() || (event.type == EventType::kTrack && event.name == name));
    }
    return out;
  }
  static bool comes_before(const Placed& a, const Placed& b) {
    if (a.event->time != b.event->time) return a.event->time < b.event->time;
    const auto first = [](const Placed& one) {
      return std::find(one.is.begin(), one.is.end(), true) - one.is.begin();
    };
    if (first(a) != first(b)) return first(a) < first(b);
    return std::lexicographical_compare(a.is.rbegin(), a.is.rend(), b.is.rbegin(), b.is.rend());
  }

  bool any_is(size_t step, size_t from, size_t to) const {
    for (size_t i = from; i < to; ++i) {
      if (events_[i].is[step]) return true;
    }
    return false;
  }
  Instant limit() const {
    if (node_.span.count == 0) return kLastInstant;
    return rule::plus(events_[chosen_[0]].event->time, node_.span, moment_.zone);
  }

  bool happens_from(size_t step) {
    const rule::Extent window = rule::extent(node_.window, moment_.now, moment_.zone);
    if (step == node_.of.size()) return window.contains(events_[chosen_.back()].event->time);
    if (node_.of[step].op == rule::Op::kStep) return takes(step, false);
    if (step + 1 < node_.of.size()) return takes(step + 1, true);
    const Instant happens = limit() + Duration::millis(1);
    return happens <= moment_.now && window.contains(happens) &&
           !any_is(step, chosen_.back() + 1, events_.size());
  }

  bool takes(size_t step, bool without_the_one_before) {
    const size_t next = chosen_.empty() ? 0 : chosen_.back() + 1;
    for (size_t i = next; i < events_.size(); ++i) {
      if (!events_[i].is[step]) continue;
      if (without_the_one_before && any_is(step - 1, next, i)) continue;
      if (!chosen_.empty() && events_[i].event->time > limit()) continue;
      chosen_.push_back(i);
      const bool good = happens_from(step + 1);
      chosen_.pop_back();
      if (good) return true;
    }
    return false;
  }

  const rule::Node& node_;
  const Moment& moment_;
  std::vector<Placed> events_;
  std::vector<size_t> chosen_;
};

rule::Node random_sequence(RandomHistory& random) {
  static constexpr std::string_view kNames[] = {"A", "B", "C", ""};
  const auto step = [&](rule::Op op) {
    const rule::Node events{.op = rule::Op::kEvents, .text = std::string(kNames[random.below(4)])};
    return rule::Node{.op = op, .of = {events}};
  };
  rule::Node out{.op = rule::Op::kSequence, .of = {step(rule::Op::kStep)}};
  for (uint32_t i = random.below(4); i > 0; --i) {
    if (random.chance(3)) out.of.push_back(step(rule::Op::kNotStep));
    out.of.push_back(step(rule::Op::kStep));
  }
  const bool ends_with_absence = random.chance(3);
  if (ends_with_absence) out.of.push_back(step(rule::Op::kNotStep));
  if (ends_with_absence || random.chance(2))
    out.span = {1 + random.below(10), static_cast<rule::Unit>(random.below(4))};
  if (random.chance(2))
    out.window = {rule::Window::Kind::kLast, {1 + random.below(40), rule::Unit::kDay}, {}, {}};
  return out;
}

TEST(Sequence, IsThatOfEveryChoice) {
  const uint64_t seed = std::random_device()();
  size_t yes = 0;
  const int count = rounds(5'000, 300'000);
  for (int i = 0; i < count; ++i) {
    RandomHistory history(seed + static_cast<uint64_t>(i),
                          {.events = {"A", "B", "C"}, .properties = {}, .events_most = 12});
    const rule::Node rule = random_sequence(history);
    const std::vector<Event> events = history.events_of(0);
    const bool want = EveryChoice(rule, events, history.moment()).happens();
    const rule::Value got = evaluate(rule, events, history.facts_of(0), history.moment());
    ASSERT_EQ(got.truth, want) << "seed " << seed + static_cast<uint64_t>(i);
    yes += want;
  }
  EXPECT_GT(yes, static_cast<size_t>(count) / 10);
  EXPECT_LT(yes, static_cast<size_t>(count) * 9 / 10);
}

}  // namespace
}  // namespace kehu::interpreter
