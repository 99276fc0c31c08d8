#include "profile/trait_steps.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/text.h"
#include "profile/test_folded.h"

// $set_once, $add, $append, $unset, $clear of traits.
namespace kehu::profile {
namespace {

constexpr Instant kStart = Instant::from_seconds(1'760'000'000);

class TraitStepsTest : public testing::Test {
 protected:
  // The traits of an identify call that many seconds after the start.
  struct Call {
    int second;
    std::string traits;
  };

  const Event& event(const Call& call) {
    Event event;
    event.type = EventType::kIdentify;
    event.time = event.received_at = event.original_time = kStart + Duration::seconds(call.second);
    event.source = SourceId(1);
    event.traits = texts_.emplace_back(call.traits);
    event.properties = event.context = "{}";
    return events_.emplace_back(event);
  }

  std::string part_of(const std::vector<Call>& calls) {
    std::vector<Event> events;
    for (const Call& call : calls) events.push_back(event(call));
    return fold_all(plan_, events, names_);
  }

  // "name=value …" by name.
  std::string shown(const std::string& part) {
    std::string out;
    for (const TraitView& trait : view_of(settings_, part, kStart, names_).traits)
      out += cat(out.empty() ? "" : " ", trait.name, "=", trait.value);
    return out;
  }
  std::string shown(const std::vector<Call>& calls) { return shown(part_of(calls)); }

  Settings settings_;
  Plan plan_{settings_};
  Names names_;
  std::deque<std::string> texts_;
  std::deque<Event> events_;
};

struct StepCase {
  const char* name;
  std::vector<std::pair<int, const char*>> given;
  const char* want;
};

const StepCase kCases[] = {
    {"once sets what has no value", {{1, R"({"$set_once":{"a":"x"}})"}}, R"(a="x")"},
    {"the first once wins", {{2, R"({"$set_once":{"a":2}})"}, {1, R"({"$set_once":{"a":1}})"}}, "a=1"},
    {"a value stands above a later once", {{1, R"({"a":1})"}, {2, R"({"$set_once":{"a":2}})"}}, "a=1"},
    {"a later value stands above a once", {{1, R"({"$set_once":{"a":2}})"}, {2, R"({"a":1})"}}, "a=1"},
    {"once after a deletion",
     {{1, R"({"a":1})"}, {2, R"({"a":null})"}, {3, R"({"$set_once":{"a":3}})"}},
     "a=3"},
    {"add to nothing", {{1, R"({"$add":{"n":2.5}})"}}, "n=2.5"},
    {"add to a number",
     {{1, R"({"n":10})"}, {2, R"({"$add":{"n":-0.1}})"}, {3, R"({"$add":{"n":-0.2}})"}},
     "n=9.7"},
    {"an add before the value counts no more", {{2, R"({"n":10})"}, {1, R"({"$add":{"n":5}})"}}, "n=10"},
    {"an add of the same moment neither", {{1, R"({"n":10,"$add":{"n":5}})"}}, "n=10"},
    {"add to a once", {{1, R"({"$set_once":{"n":10}})"}, {2, R"({"$add":{"n":5}})"}}, "n=15"},
    {"a once behind an add is too late",
     {{2, R"({"$set_once":{"n":10}})"}, {1, R"({"$add":{"n":5}})"}},
     "n=5"},
    {"a number cannot be added to a text", {{1, R"({"n":"ten"})"}, {2, R"({"$add":{"n":5}})"}}, R"(n="ten")"},
    {"append to nothing", {{1, R"({"$append":{"t":["a","b","a"]}})"}}, R"(t=["a","b"])"},
    {"append to a list",
     {{1, R"({"t":["a"]})"}, {2, R"({"$append":{"t":["b","a","c"]}})"}},
     R"(t=["a","b","c"])"},
    {"append one", {{1, R"({"t":["a"]})"}, {2, R"({"$append":{"t":"b"}})"}}, R"(t=["a","b"])"},
    {"append to a number", {{1, R"({"t":1})"}, {2, R"({"$append":{"t":["b"]}})"}}, "t=1"},
    {"unset by names", {{1, R"({"a":1,"b":2,"$add":{"c":1}})"}, {2, R"({"$unset":["a","c"]})"}}, "b=2"},
    {"unset by keys", {{1, R"({"a":1,"b":2})"}, {2, R"({"$unset":{"a":true}})"}}, "b=2"},
    {"clear", {{1, R"({"a":1,"$add":{"n":1},"$set_once":{"o":1}})"}, {2, R"({"$clear":true})"}}, ""},
    {"what comes after a clear",
     {{2, R"({"$clear":true})"}, {1, R"({"a":1})"}, {3, R"({"b":1,"$add":{"n":1},"$set_once":{"o":1}})"}},
     "b=1 n=1 o=1"},
    {"no clear", {{1, R"({"a":1})"}, {2, R"({"$clear":false})"}}, "a=1"},
    {"other names with a dollar are traits",
     {{1, R"({"$city":"上海","$set":{"a":1}})"}},
     R"($city="上海" $set={"a":1})"},
};

TEST_F(TraitStepsTest, InAnyOrder) {
  for (const StepCase& c : kCases) {
    std::vector<Call> calls;
    for (const auto& [second, traits] : c.given) calls.push_back({second, traits});
    std::sort(calls.begin(), calls.end(), [](const Call& a, const Call& b) { return a.second < b.second; });
    const std::string part = part_of(calls);
    do {
      EXPECT_EQ(shown(calls), c.want) << c.name;
      EXPECT_EQ(part_of(calls), part) << c.name;
    } while (std::next_permutation(calls.begin(), calls.end(),
                                   [](const Call& a, const Call& b) { return a.second < b.second; }));
    EXPECT_TRUE(validate(part).ok()) << c.name;
  }
}

TEST_F(TraitStepsTest, AThousandAdditionsAreOneSumAndFewBytes) {
  std::vector<Call> calls = {{0, R"({"n":1000})"}};
  for (int i = 1; i <= 1000; ++i) calls.push_back({i, R"({"$add":{"n":0.1}})"});
  const std::string part = part_of(calls);
  EXPECT_EQ(shown(part), "n=1100");
  EXPECT_LT(part.size(), 1000u);
  calls.push_back({1001, R"({"n":5})"});
  EXPECT_EQ(shown(calls), "n=5");
}

TEST_F(TraitStepsTest, ALateValueStandsBelowWhatBecameOneStep) {
  std::vector<Call> calls;
  for (int i = 1; i <= 100; ++i) calls.push_back({i, R"({"$add":{"n":1}})"});
  calls.push_back({50, R"({"n":1000})"});
  EXPECT_EQ(shown(calls), "n=1100");
  calls.back().second = 80;  // among the newest steps
  EXPECT_EQ(shown(calls), "n=1020");
}

TEST_F(TraitStepsTest, AListKeepsItsNewestElements) {
  std::vector<Call> calls;
  for (int i = 0; i < 200; ++i)
    calls.push_back({i, cat(R"({"$append":{"t":[")", i, std::string(60, 'x'), R"("]}})")});
  const std::string part = part_of(calls);
  const std::string text = shown(part);
  EXPECT_LE(text.size(), limits::kTraitBytes + 2);
  EXPECT_TRUE(text.find("\"199x") != text.npos && text.find("\"0x") == text.npos);
  EXPECT_LT(part.size(), 3 * limits::kTraitBytes);
}

TEST_F(TraitStepsTest, ManyNamesInOneCall) {
  std::string names;
  for (int i = 0; i < 3000; ++i) names += cat(i == 0 ? "" : ",", "\"n", i, "\":1");
  const std::vector<Call> calls = {{1, cat(R"({"$add":{)", names, "}}")},
                                   {2, cat(R"({"$add":{)", names, "}}")}};
  const ProfileView view = view_of(settings_, part_of(calls), kStart, names_);
  ASSERT_EQ(view.traits.size(), limits::kTraitsPerCustomer);
  for (const TraitView& trait : view.traits) ASSERT_EQ(trait.value, "2") << trait.name;
  EXPECT_TRUE(view.traits_left_out);
}

TEST_F(TraitStepsTest, MoreNamesThanTheLimitInAnyOrder) {
  std::vector<Call> calls;
  for (int i = 0; i < 400; ++i) calls.push_back({i, cat(R"({"a)", i, R"(":1,"$add":{"b)", i, R"(":1}})")});
  const std::string part = part_of(calls);
  std::mt19937_64 random(7);
  std::shuffle(calls.begin(), calls.end(), random);
  EXPECT_EQ(part_of(calls), part);
  const ProfileView view = view_of(settings_, part, kStart, names_);
  EXPECT_EQ(view.traits.size(), limits::kTraitsPerCustomer);
  EXPECT_TRUE(view.traits_left_out);
}

}  // namespace
}  // namespace kehu::profile
