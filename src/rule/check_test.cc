#include "rule/check.h"

#include <gtest/gtest.h>

#include "base/test_rounds.h"
#include "base/text.h"
#include "notation/parse.h"
#include "rule/test_random_rules.h"
#include "rule/tree_json.h"

namespace kehu::rule {
namespace {

struct Bad {
  std::string_view text;
  std::string_view place;
  std::string_view message;  // a part of it
  std::string_view suggestion = "";
};

KnownNames names() {
  return {.events = {"Order Completed", "Signed In"},
          .segments = {"会员", "Gold"},
          .tags = {"stage of life", "score"},
          .lists = std::vector<std::string>{"黑名单", "VIP"}};
}

std::optional<Problem> problem_of(std::string_view text, Kind kind = Kind::kSegment,
                                  std::vector<Problem>* warnings = nullptr) {
  Definition definition{.kind = kind, .name = "X"};
  const auto syntax = notation::parse_expression(text, definition.body);
  EXPECT_FALSE(syntax) << text << ": " << syntax->message;
  return check(definition, names(), warnings);
}

// As JSON there is no lexer to refuse them.
TEST(Check, RefusesNamesAndTextsThatNobodyCanRead) {
  const auto message = [](const Definition& definition) {
    const auto problem = check(definition, {});
    return problem ? problem->message : "";
  };
  Definition definition{.kind = Kind::kTag, .name = "X", .body = {.op = Op::kTrait, .text = "a"}};
  EXPECT_EQ(message(definition), "");
  for (const std::string name : {" ", "a ", " a", "\u3000a", "a\nb", "a\tb", "\n", "a\x01"}) {
    definition.name = name;
    EXPECT_NE(message(definition), "") << name;
  }
  definition.name = "a b";
  EXPECT_EQ(message(definition), "");
  definition.owner = "li\nwang";
  EXPECT_EQ(message(definition), "");
  definition.owner = "li\x1b";
  EXPECT_EQ(message(definition), "a text holds a control character");
  definition.owner = "";
  definition.body = {.op = Op::kDid, .of = {{.op = Op::kEvents, .text = std::string("A\0", 2)}}};
  EXPECT_EQ(message(definition), "a text holds a control character");
  definition.body.of[0].text = "A\tB\n";
  EXPECT_EQ(message(definition), "");
  definition.body.of[0].comments = {std::string("\0", 1)};
  EXPECT_EQ(message(definition), "a text holds a control character");
}

// What the notation says of them has the place of the length (parse_test.cc).
TEST(Check, RefusesWindowsOfTrees) {
  const auto message = [](Node node) {
    const auto problem = check({.kind = Kind::kTag, .name = "X", .body = std::move(node)}, {});
    return problem ? problem->message : "";
  };
  Node did{.op = Op::kDid, .of = {{.op = Op::kEvents, .text = "A"}}};
  EXPECT_EQ(message(did), "");
  did.window = {.kind = Window::Kind::kLast, .span = {0, Unit::kDay}};
  EXPECT_EQ(message(did), "the window has 0 days");
  did.window = {.kind = Window::Kind::kThis, .span = {0, Unit::kDay}};
  EXPECT_EQ(message(did), "there is no window of this or the previous days");
  Node sequence{.op = Op::kSequence, .span = {4, Unit::kYear}};
  sequence.of = {{.op = Op::kStep, .of = did.of}, {.op = Op::kStep, .of = did.of}};
  EXPECT_EQ(message(sequence), "the sequence has 4 years");
}

TEST(Check, RefusesWhatMeansNothing) {
  const Bad cases[] = {
      {"count(\"A\")", "1:1", "a number stands where a condition"},
      {"count(\"A\") = \"3\"", "1:14", "a number is compared with a text"},
      {"count(\"A\") between 1 and \"3\"", "1:26", "a number is compared with a text"},
      {"trait.a between 1 and \"3\"", "1:23", "a number is compared with a text"},
      {"first(\"A\") > 3", "1:14", "an instant is compared with a number"},
      {"did(\"A\") > true", "1:1", "a condition is neither less"},
      {"count(\"A\") and did(\"B\")", "1:1", "a number stands where a condition"},
      {"not top(a of \"A\")", "1:5", "a text stands where a condition"},
      {"count(\"A\") + \"x\" > 3", "1:14", "a text stands where a number"},
      {"count(\"A\") + 3 days > now", "1:1", "a number stands where an instant"},
      {"now - first(\"A\") > 3", "1:7", "an instant is not added"},
      {"now > 3 days", "1:7", "a span of time stands by itself"},
      {"trait.a[]", "1:1", "has several values"},
      {"trait.a[].b + 1 > 3", "1:1", "has several values"},
      {"days_since(trait.a[]) > 1", "1:12", "has several values"},
      {"\"x\" in (\"x\") and trait.b.c[]", "1:18", "has several values"},
      {"trait.a in (1, \"a\")", "1:16", "a number is compared with a text"},
      {"today in (1)", "1:11", "an instant is compared with a number"},
      {"days_since(now - 10 hours) > 1", "1:12", "is another instant each time", "today"},
      {"now - 1 hour within today", "1:1", "is another instant each time", "today"},
      {"now in (2026-01-31)", "1:1", "is another instant each time", "today"},
      {"now is known", "1:1", "is another instant each time", "today"},
      {"now birthday in the next 3 days", "1:1", "is another instant each time", "today"},
      {"(case when trait.a then now end) > trait.t", "1:25", "is another instant each time", "today"},
      {"now - 1 day > now - 24 hours", "1:15", "is another instant each time", "today"},
      {"now between trait.t and now + 1 day", "1:25", "is another instant each time", "today"},
      {"trait.a matches \"(\"", "1:17", "the regular expression is not valid"},
      {"trait.a matches trait.b", "1:17", "a pattern is no text"},
      {"count(\"A\") contains \"a\"", "1:1", "a number stands where a text"},
      {"count(\"A\") within last 3 days", "1:1", "a number stands where an instant"},
      {"count(\"A\") birthday in the next 3 days", "1:1", "a number stands where an instant"},
      {"trait.b birthday in the next 3 months", "1:1", "birthdays are not counted in months"},
      {"trait.b birthday in the next 367 days", "1:1", "the span has 367 days"},
      {"channel = \"app\"", "1:1", "channel is of an event", "trait.channel"},
      {"hour > 3", "1:1", "hour is of an event", "trait.hour"},
      {"did(\"A\" where trait.a = 3)", "1:15", "trait says more than one event does"},
      {"did(\"A\" where at > now - 3 days)", "1:20", "now says more"},
      {"did(\"A\" where did(\"B\"))", "1:15", "did says more"},
      {"did(\"A\" where in segment Gold)", "1:15", "segment says more"},
      {"did(\"A\" where at within last 3 days)", "1:15", "within says more"},
      {"did(\"A\" where \"x\")", "1:15", "a text stands where a condition"},
      {"sequence(\"A\" then not \"B\")", "1:19", "ends with what does not happen"},
      {"sequence(\"A\" then \"B\" then not \"C\", last 3 days)", "1:28", "ends with what does not happen"},
      {"count(\"A\" where n[][] = 1) > 0", "1:17", "[] stands twice"},
      {"sum(n[][].a of \"A\") > 0", "1:1", "[] stands twice"},
      {"trait.n[][] = 1", "1:1", "[] stands twice"},
      {"first(\"A\", last 3 days) > now", "1:1", "first looks at all events"},
      {"nth(2, \"A\", last 3 days) > now", "1:1", "nth looks at all events"},
      {"nth(0, \"A\") is known", "1:1", "no event with the number 0"},
      {"nth(17, \"A\") is known", "1:1", "no event with the number 17"},
      {"share(\"A\") > 0.5", "1:7", "a share has no condition"},
      {"days_since(3) > 1", "1:12", "a number stands where an instant"},
      {"age(3) > 1", "1:5", "a number stands where an instant"},
      {"age(trait.b) = \"3\"", "1:16", "a number is compared with a text"},
      {"did(\"A\" where age(at) > 3)", "1:15", "age says more"},
      {"holiday = \"春节\"", "1:1", "holiday is of an event", "trait.holiday"},
      {"did(\"A\" where holiday = 3)", "1:25", "a text is compared with a number"},
      {"did(\"A\" where workday = 3)", "1:25", "a condition is compared with a number"},
      {"band(top(a of \"A\"), 1 below 2) = 1", "1:6", "a text stands where a number"},
      {"band(trait.a, \"x\" below 2, 3 below 4) = \"x\"", "1:28", "a text is compared with a number"},
      {"band(trait.a, \"x\" below 2, \"y\" below 2) = \"x\"", "1:38", "ends where the one before it does"},
      {"band(trait.a, \"x\" below \"2\") = \"x\"", "1:25", "a band does not end with a number"},
      {"band(trait.a, 1 below 2)", "1:1", "a number stands where a condition"},
      {"top(1, a of \"A\") = \"x\"", "1:1", "top looks for 1 texts"},
      {"top(11, a of \"A\") = \"x\"", "1:1", "top looks for 11 texts"},
      {"top(3, a of \"A\") = 3", "1:20", "a text is compared with a number"},
      {"top(3, a of \"A\") + 1 > 3", "1:1", "a text stands where a number"},
      {"sum(channel of \"A\") > 3", "1:1", "the channel of an event is a text"},
      {"max(source of \"A\") > 3", "1:1", "the source of an event is a text"},
      {"first(channel of \"A\") = 3", "1:25", "a text is compared with a number"},
      {"time of trait.a.b is known", "1:1", "a.b is a part of one", "trait.a"},
      {"source of trait.a = 3", "1:21", "a text is compared with a number"},
      {"did(\"A\" where time of trait.a > 2026-01-31)", "1:15", "trait_time says more"},
      {"percentile(top(a of \"A\")) > 3", "1:12", "a text stands where a number"},
      {"percentile(1 + percentile(count(\"A\"))) > 3", "1:12", "a percentile is taken of what names"},
      {"percentile(case when rfm(a of \"A\") = \"5\" then 1 end) > 3", "1:12",
       "a percentile is taken of what"},
      {"percentile(count(\"A\")) = \"3\"", "1:26", "a number is compared with a text"},
      {"rfm(a of \"A\") > 500", "1:17", "a text is compared with a number"},
      {"sequence(\"A\")", "1:1", "the sequence has 1 steps"},
      {"sequence(not \"A\" then \"B\")", "1:10", "begins with what did not happen"},
      {"stage(\"A\" then any event) = \"A\"", "1:16", "a step of a stage has no name"},
      {"case when 3 then true end", "1:11", "a number stands where a condition"},
      {"(case when true then 3 else \"a\" end) = 3", "1:29", "a text stands where a number"},
      {"in segment 会", "1:1", "there is no segment 会"},
      {"in segment Golf", "1:1", "there is no segment Golf", "Gold"},
      {"tag.scores > 3", "1:1", "there is no tag scores", "score"},
      {"did(\"A\") and not in segment X", "1:18", "the segment X asks for itself"},
  };
  for (const Bad& bad : cases) {
    const auto problem = problem_of(bad.text);
    ASSERT_TRUE(problem) << bad.text;
    EXPECT_EQ(std::to_string(problem->place.line) + ":" + std::to_string(problem->place.column), bad.place)
        << bad.text;
    EXPECT_NE(problem->message.find(bad.message), std::string::npos) << bad.text << ": " << problem->message;
    EXPECT_EQ(problem->suggestion, bad.suggestion) << bad.text;
    EXPECT_FALSE(problem->expected.empty()) << bad.text;
  }
}

TEST(Check, TakesWhatMeansSomething) {
  for (const char* text : {"trait.vip",
                           "in segment Gold",
                           "trait.a = trait.b",
                           "tag.`stage of life` = \"x\"",
                           "trait.t < now - 3 days",
                           "first(\"A\") between now - 3 days and now",
                           "now - 3 days between trait.a and today",
                           "did(\"A\" where workday and holiday is unknown)",
                           "age(first \"A\") = 3",
                           "did(\"A\" where band(price, \"a\" below 1.5, else \"b\") = \"a\")",
                           "band(age(trait.b), 1 below -2, else 3) > 1",
                           "top(10, a of \"A\", last 90 days) contains \"x\"",
                           "top(3, source of any event) = \"crm\"",
                           "sequence(\"A\" then \"B\" by channel)",
                           "distinct(channel of \"A\") > 1",
                           "time of trait.a < now - 3 days",
                           "source of trait.a in (\"crm\", \"shop\")",
                           "days_since(today - 10 hours) = 1",
                           "not (now - 1 day - 3 hours >= last(\"A\"))",
                           "now - 18 years > trait.birthday",
                           "trait.birthday before now - 18 years",
                           "did(\"A\" where paid and hour between 22 and 24)",
                           "sequence(\"A\" then not \"B\" then not \"C\" within 1 day)",
                           "sequence(\"A\" then \"B\" then not \"C\" within 1 hour)",
                           "last(\"A\", today) is known",
                           "interval(\"A\", last 90 days) < 3.5",
                           "did(\"A\", last 1100 days)",
                           "did(\"A\", last 36 months)",
                           "did(\"A\", last 30 seconds)",
                           "first(x of \"A\") in (\"a\", \"b\")",
                           "(case when trait.a then 3 else trait.b end) > 3",
                           "did(\"A\" where (case when channel = \"a\" then x else y end) > 2)",
                           "trait.birthday birthday in the next 2 weeks",
                           "top(a of any event) != \"\""}) {
    const auto problem = problem_of(text);
    EXPECT_FALSE(problem) << text << ": " << problem->message;
  }
}

TEST(Check, BoundsCasesAndBands) {
  const auto joined = [](std::string_view begin, std::string_view between, size_t count,
                         std::string_view end) {
    std::string out(begin);
    for (size_t i = 0; i < count; ++i) {
      out += cat(i == 0 ? "" : between, "\"", i, "\" below ", i);
    }
    return out + std::string(end);
  };
  EXPECT_FALSE(problem_of(joined("band(trait.a, ", ", ", kBands, ", else \"x\")"), Kind::kTag));
  EXPECT_TRUE(problem_of(joined("band(trait.a, ", ", ", kBands + 1, ")"), Kind::kTag));
  const auto cases = [](size_t branches) {
    std::string out = "case";
    for (size_t i = 0; i < branches; ++i) out += cat(" when trait.a = ", i, " then \"", i, "\"");
    return out + " end";
  };
  EXPECT_FALSE(problem_of(cases(kCaseBranches), Kind::kTag));
  EXPECT_TRUE(problem_of(cases(kCaseBranches + 1), Kind::kTag));
}

TEST(Check, WarnsOfEventsThatNobodySent) {
  std::vector<Problem> warnings;
  EXPECT_FALSE(problem_of("did(\"Order Complete\") or did(\"Signed In\")", Kind::kSegment, &warnings));
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_EQ(warnings[0].suggestion, "Order Completed");
  EXPECT_EQ(warnings[0].place.column, 5u);
}

// A new name may come later, so it is no error; without one that is like it, nothing is said.
TEST(Check, WarnsOfTraitsThatNobodyHas) {
  Definition definition{.name = "X"};
  ASSERT_FALSE(notation::parse_expression(
      "trait.cty.name = \"x\" or time of trait.city > now or trait.birthday is known or did(\"Paid\")",
      definition.body));
  std::vector<Problem> warnings;
  EXPECT_FALSE(check(definition, {.events = {"Signed In"}, .traits = {"city", "level"}}, &warnings));
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_EQ(warnings[0].message, "no trait \"cty\" was seen yet");
  EXPECT_EQ(warnings[0].suggestion, "trait.city");
  EXPECT_EQ(warnings[0].place.column, 1u);
}

TEST(Check, WarnsOfWhatNeverHolds) {
  struct Case {
    std::string_view rule;
    std::string_view message;  // empty: no warning
    std::string_view suggestion = "";
  };
  const Case cases[] = {
      {"did(\"A\" where hour > 30)", "hour is 0 to 23: this never holds"},
      {"did(\"A\" where hour > 23)", "hour is 0 to 23: this never holds"},
      {"did(\"A\" where hour >= 23)", ""},
      {"did(\"A\" where 24 <= hour)", "hour is 0 to 23: this never holds"},
      {"did(\"A\" where hour < 0)", "hour is 0 to 23: this never holds"},
      {"did(\"A\" where hour < 30)", ""},
      {"did(\"A\" where hour != 30)", ""},
      {"did(\"A\" where hour = 7.5)", "hour is 0 to 23: this never holds"},
      {"did(\"A\" where hour between 22 and 24)", ""},
      {"did(\"A\" where hour between 24 and 26)", "hour is 0 to 23: this never holds"},
      {"did(\"A\" where hour in (24, 0))", ""},
      {"did(\"A\" where hour in (24, 25))", "hour is 0 to 23: this never holds"},
      {"did(\"A\" where weekday = 8)", "weekday is 1 (Monday) to 7 (Sunday): this never holds"},
      {"did(\"A\" where weekday = 0)", "weekday is 1 (Monday) to 7 (Sunday): this never holds"},
      {"did(\"A\" where weekday = 7)", ""},
      {"did(\"A\" where holiday = \"春季\")", "no holiday is called \"春季\": this never holds", "\"春节\""},
      {"did(\"A\" where holiday in (\"春节\", \"十一\"))", "no holiday is called \"十一\": this never holds"},
      {"did(\"A\" where holiday = \"国庆节\")", ""},
      {"did(\"A\" where x between 3 and 1)", "between 3 and 1 ends below where it begins: this never holds",
       "between 1 and 3"},
      {"trait.t between 2026-02-01 and 2026-01-01", "between ends before it begins: this never holds"},
      {"trait.a between 1 and 1", ""},
      {"count(\"A\") < 0", "count is never below 0: this never holds"},
      {"count(\"A\") >= 0", ""},
      {"percentile(count(\"A\")) >= 100", "percentile is 0 to 99: this never holds"},
      {"percentile(count(\"A\")) >= 99", ""},
  };
  for (const auto& [rule, message, suggestion] : cases) {
    std::vector<Problem> warnings;
    EXPECT_FALSE(problem_of(rule, Kind::kSegment, &warnings)) << rule;
    std::erase_if(warnings, [](const Problem& each) { return each.message.starts_with("no event"); });
    ASSERT_EQ(warnings.size(), message.empty() ? 0u : 1u) << rule;
    if (message.empty()) continue;
    EXPECT_EQ(warnings[0].message, message) << rule;
    EXPECT_EQ(warnings[0].suggestion, suggestion) << rule;
  }
}

TEST(Check, WarningsAreBounded) {
  std::string rule = "count(\"A\") < 0";
  for (size_t i = 0; i < 2 * kWarnings; ++i) rule += " or count(\"Order Complet\") < 0";
  std::vector<Problem> warnings;
  EXPECT_FALSE(problem_of(rule, Kind::kSegment, &warnings));
  EXPECT_EQ(warnings.size(), kWarnings);
}

TEST(Check, ATagMayBeAnything) {
  for (const char* text : {"3", "\"x\"", "today", "did(\"A\")", "trait.a", "in segment X"}) {
    EXPECT_FALSE(problem_of(text, Kind::kTag).has_value() && std::string_view(text) != "in segment X")
        << text;
  }
  EXPECT_TRUE(problem_of("3 days", Kind::kTag));
  EXPECT_TRUE(problem_of("tag.X", Kind::kTag));
  EXPECT_TRUE(problem_of("now", Kind::kTag));
  EXPECT_TRUE(problem_of("now - 3 days", Kind::kTag));
}

TEST(Check, LooksAtTheClauses) {
  EXPECT_TRUE(check({.name = "X", .body = {}, .time_zone = "Asia/Nowhere"}, {}));
  EXPECT_FALSE(check({.name = "X", .body = {}, .time_zone = "Asia/Shanghai"}, {}));
  EXPECT_TRUE(check({.name = "X", .body = {}, .keep_when_empty = true}, {}));
  EXPECT_TRUE(check({.name = "", .body = {}}, {}));
}

TEST(Check, AStatementIsTheWholeOfATagAndRunEveryHourOrDay) {
  const auto problem_of_statement = [](Kind kind, Span every) {
    return check({.kind = kind, .name = "X", .body = {.op = Op::kSql, .text = "SELECT 1", .span = every}},
                 {});
  };
  EXPECT_FALSE(problem_of_statement(Kind::kTag, {1, Unit::kDay}));
  EXPECT_FALSE(problem_of_statement(Kind::kTag, {1, Unit::kHour}));
  EXPECT_TRUE(problem_of_statement(Kind::kTag, {2, Unit::kHour}));
  EXPECT_TRUE(problem_of_statement(Kind::kTag, {1, Unit::kWeek}));
  EXPECT_TRUE(problem_of_statement(Kind::kSegment, {1, Unit::kDay}));
  Definition inside{.kind = Kind::kTag, .name = "X", .body = {.op = Op::kIsKnown}};
  inside.body.of.push_back({.op = Op::kSql, .text = "SELECT 1", .span = {1, Unit::kDay}});
  EXPECT_TRUE(check(inside, {}));
}

TEST(Check, AComparisonOfFactsIsTheWholeOfACheck) {
  const auto problem_of_check = [](Kind kind, Decimal share, const char* trait, Node value) {
    Definition check_definition{
        .kind = kind, .name = "X", .body = {.op = Op::kAgrees, .text = "crm", .number = share}};
    check_definition.body.of = {{.op = Op::kTrait, .text = trait}, std::move(value)};
    return check(check_definition, names());
  };
  const Decimal most = Decimal::from_units(Decimal::kScale);
  const Node tag{.op = Op::kTag, .text = "score"};
  EXPECT_FALSE(problem_of_check(Kind::kCheck, most, "city", tag));
  EXPECT_TRUE(problem_of_check(Kind::kCheck, most, "city.name", tag)) << "a whole trait";
  EXPECT_TRUE(problem_of_check(Kind::kCheck, most, "city", {.op = Op::kTag, .text = "none"}));
  EXPECT_TRUE(problem_of_check(Kind::kCheck, Decimal(), "city", tag));
  EXPECT_TRUE(problem_of_check(Kind::kCheck, Decimal::from_units(10'001), "city", tag));
  EXPECT_TRUE(problem_of_check(Kind::kTag, most, "city", tag));
  EXPECT_TRUE(check({.kind = Kind::kCheck, .name = "X", .body = tag}, names()));
}

TEST(Check, AListMayBeComparedToo) {
  Definition definition{
      .kind = Kind::kCheck, .name = "X", .body = {.op = Op::kAgrees, .number = Decimal::from_units(8000)}};
  definition.body.of = {{.op = Op::kListValue, .text = "VIP"}, {.op = Op::kTag, .text = "score"}};
  EXPECT_FALSE(check(definition, names()));
  definition.body.text = "crm";
  EXPECT_TRUE(check(definition, names())) << "a list has one source";
  definition.body.text.clear();
  definition.body.of[0].op = Op::kListed;
  EXPECT_TRUE(check(definition, names())) << "that somebody is on it is no value";
}

TEST(Check, NamesListsThatAreThere) {
  EXPECT_FALSE(problem_of("in list VIP and list.黑名单 = \"x\""));
  const auto problem = problem_of("did(\"A\") and in list ViP");
  ASSERT_TRUE(problem);
  EXPECT_EQ(to_text(*problem),
            "there is no list ViP; expected a list that was uploaded: `kehu list upload`; did you mean VIP?");
  KnownNames none = names();
  none.lists.emplace();
  Definition definition{.kind = Kind::kSegment, .name = "X", .body = {.op = Op::kListed, .text = "VIP"}};
  EXPECT_TRUE(check(definition, none)) << "a project without lists";
  none.lists.reset();
  EXPECT_FALSE(check(definition, none)) << "nobody knows which there are";
  EXPECT_TRUE(problem_of("did(\"A\" where in list VIP)")) << "no event is on a list";
}

TEST(References, NamesEachOnce) {
  Node node;
  ASSERT_FALSE(notation::parse_expression(
      "in segment A and (tag.b = 1 or not in segment A) and tag.c = 1 and in list D and list.D = 1", node));
  EXPECT_EQ(references(node).segments, std::vector<std::string>({"A"}));
  EXPECT_EQ(references(node).tags, std::vector<std::string>({"b", "c"}));
  EXPECT_EQ(references(node).lists, std::vector<std::string>({"D"}));
}

TEST(RandomRules, PassTheCheckAndComeBackFromJson) {
  RandomRuleWorld world;
  world.segments = {"会员"};
  world.tags = {"score"};
  world.lists = {"VIP"};
  world.any_sequence = true;
  const int count = rounds(3000, 100'000);
  for (int seed = 0; seed < count; ++seed) {
    RandomRules rules(static_cast<uint64_t>(seed), world);
    Definition definition = seed % 2 == 0 ? rules.segment("X") : rules.tag("X");
    definition.comments = {"a \"comment\"", ""};
    definition.body.comments = {"another"};
    const auto problem = check(definition, names());
    ASSERT_FALSE(problem) << "seed " << seed << ": " << problem->message << " " << to_json(definition);
    const auto read = definition_from_json(to_json(definition));
    ASSERT_TRUE(read.ok()) << "seed " << seed << ": " << read.status().message();
    ASSERT_TRUE(*read == definition) << "seed " << seed << ": " << to_json(definition);
  }
}

}  // namespace
}  // namespace kehu::rule
