#include "translation/translate.h"

#include <gtest/gtest.h>

#include "notation/parse.h"
#include "query/test_rule_tables.h"

// Small histories with expected answers. What rules mean at their edges is compared with the interpreter in
// random_rules_test.cc; here stands what SQL has to get right in its own way.
namespace kehu::translation {
namespace {

rule::Node parsed(std::string_view text) {
  rule::Node node;
  const auto problem = notation::parse_expression(text, node);
  EXPECT_FALSE(problem.has_value()) << text << ": " << (problem ? problem->message : "");
  return node;
}

class TranslateTest : public testing::Test {
 protected:
  TranslateTest() {
    question_.now = *parse_iso8601("2026-03-10T04:00:00Z");  // noon in Shanghai
    question_.zone = *BusinessZone::load("Asia/Shanghai");
    question_.answer = Answer::kText;
    tables_.add_customers(
        R"(('an', '{"city":"北京","vip":true,"age":"41.5"}', '{"city":{"time":"1772326800000000","source":"crm"}}', [], MAP {}), ('bo', '{}', NULL, [], MAP {}))");
  }

  // A row of `events` of the customer an.
  void add(std::string_view time, std::string_view event, std::string_view properties = "{}",
           std::string_view type = "track") {
    tables_.add_events(cat("('an', ", sql_literal(time), ", ", sql_literal(type), ", ", sql_literal(event),
                           ", 'web', 'shop', ", sql_literal(properties), ")"));
  }

  std::string answer(std::string_view rule, const std::string& customer = "an") {
    return tables_.ask(parsed(rule), question_)[customer].value_or("unknown");
  }

  query::RuleTables tables_;
  Question question_;
};

TEST_F(TranslateTest, FunctionsOfEvents) {
  add("2026-03-10 09:00:00+08", "A", R"({"p":10,"c":"b","l":[{"q":1},{"q":"2.5"},{"q":null}]})");
  add("2026-03-08 09:00:00+08", "A", R"({"p":"2.50","c":"a","l":[{"q":"x"}]})");
  add("2026-03-10 10:00:00+08", "A", R"({"p":"many","c":"b"})");
  add("2026-03-10 11:00:00+08", "A", R"({"p":-1,"c":"a","n":"-1"})");
  add("2026-03-01 09:00:00+08", "B", R"({"p":1e2,"n":-1})");
  add("2026-03-09 09:00:00+08", "A", R"({"p":1000,"n":0})", "page");
  struct Case {
    std::string_view rule;
    std::string_view want;
    std::string_view without;
  };
  const Case cases[] = {
      {R"(did("A"))", "true", "false"},
      {R"(count("A"))", "4", "0"},
      {R"(count("A", today))", "3", "0"},
      {R"(count("A" where p > 2, last 3 days))", "2", "0"},
      {R"(count("A" where l[].q = 2.5))", "1", "0"},
      {R"(count("A" where not l[].q = 2.5))", "3", "0"},
      {R"(count("A" where l[].q is known))", "2", "0"},
      {R"(count(any event))", "6", "0"},
      {R"(count(any event where hour = 9 and weekday = 7))", "2", "0"},
      {R"(count(any event where channel = "web" and source in ("shop", "crm")))", "6", "0"},
      {R"(sum(p of "A"))", "11.5", "0"},
      {R"(sum(l[].q of "A"))", "3.5", "0"},
      {R"(avg(p of "A"))", "3.8333", "unknown"},
      {R"(avg(l[].q of "A"))", "1.75", "unknown"},
      {R"(avg(n of any event))", "-0.6667", "unknown"},
      {R"(min(p of "A"))", "-1", "unknown"},
      {R"(max(p of any event))", "1000", "unknown"},
      {R"(distinct(c of "A"))", "2", "0"},
      {R"(distinct(l[].q of "A"))", "3", "0"},
      {R"(top(c of "A"))", "a", "unknown"},
      {R"(top(c of "A" where p >= 10))", "b", "unknown"},
      {R"(top(l[].q of "A"))", "1", "unknown"},
      {R"(first("A"))", "2026-03-08T09:00:00.000+08:00", "unknown"},
      {R"(last(p of "B"))", "1e2", "unknown"},
      {R"(last(l[].q of "A"))", "2.5", "unknown"},
      {R"(nth(3, "A"))", "2026-03-10T10:00:00.000+08:00", "unknown"},
      {R"(nth(5, "A"))", "unknown", "unknown"},
      {R"(share("A" where p > 0))", "0.5", "unknown"},
      {R"(active_days("A"))", "2", "0"},
      {R"(interval("A"))", "0.6944", "unknown"},
      {R"(days_since(first "A"))", "2", "unknown"},
      {R"(count("A") + sum(p of "B") - 1.5)", "102.5", "-1.5"},
      {R"(case when count("A") > 3 then "many" when ever("A") then 1 else today end)", "many",
       "2026-03-10T00:00:00.000+08:00"},
      {R"(top(2, c of "A") contains "a")", "true", "false"},
      {R"(first(channel of "A"))", "web", "unknown"},
      {R"(top(source of "A"))", "shop", "unknown"},
      {"time of trait.city", "2026-03-01T09:00:00.000+08:00", "unknown"},
      {"source of trait.city", "crm", "unknown"},
      {"time of trait.city within last 10 days", "true", "false"},
      {R"(band(count("A"), "few" below 1, else "some"))", "some", "few"},
      {R"(age(2000-02-29))", "26", "26"},
      {R"(trait.city in ("北京", "Beijing"))", "true", "false"},
      {R"(trait.age > 41)", "true", "false"},
      {R"(not (trait.age > 41))", "false", "true"},
      {R"(trait.vip and last("A") within today)", "true", "false"},
      {R"(stage("B" then "A" then "C"))", "A", "unknown"},
      {R"(sequence("B" then "A" within 8 days))", "true", "false"},
      {R"(sequence("B" then "A" within 6 days))", "false", "false"},
      {R"(sequence("A" then "A" by c within 59 minutes))", "false", "false"},
      {R"(sequence("A" then "A" by c within 3 days))", "true", "false"},
      {R"(sequence("A" then not "B" within 1 hour))", "true", "false"},
      {R"(sequence("A" then not "A" within 2 hours, today))", "false", "false"},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(answer(one.rule), one.want) << one.rule;
    EXPECT_EQ(answer(one.rule, "bo"), one.without) << one.rule;
  }
}

// Names come from people, and so do quotes.
TEST_F(TranslateTest, TextsAreTexts) {
  add("2026-03-10 09:00:00+08", "it's; --", R"({"a'b":"x'); DROP TABLE events; --","$c":"$"})");
  EXPECT_EQ(answer(R"(count("it's; --" where `a'b` = "x'); DROP TABLE events; --"))"), "1");
  EXPECT_EQ(answer(R"(count("it's; --" where `$c` = "$"))"), "1");
  EXPECT_EQ(answer(R"(count(any event))"), "1");
}

TEST_F(TranslateTest, TheSampleBeyond256Texts) {
  std::string rows;
  for (int i = 0; i < 1000; ++i) {
    rows += cat(i == 0 ? "" : ",", "('an', TIMESTAMPTZ '2026-03-01 00:00:00+08' + to_hours(", i % 240,
                "), 'track', 'A', 'web', 'shop', '{\"c\":\"text ", i, "\"}')");
  }
  tables_.add_events(rows);
  const double all = std::stod(answer(R"(distinct(c of "A"))"));
  EXPECT_NEAR(all, 1000, 250);
  EXPECT_NEAR(std::stod(answer(R"(distinct(c of "A", last 3 days))")), 300, 120);
}

TEST_F(TranslateTest, OtherDefinitionsAreComputedInPlace) {
  add("2026-03-10 09:00:00+08", "A", R"({"p":10})");
  std::map<std::string, rule::Node, std::less<>> bodies;
  bodies["buyers"] = parsed(R"(sum(p of "A") > tag.least)");
  bodies["least"] = parsed(R"(case when count("A") > 1 then 20 else 5 end)");
  bodies["strangers"] = parsed(R"(not in segment buyers)");
  bodies["snake"] = parsed(R"(in segment snake)");
  question_.definition = [&](rule::Kind, std::string_view name) -> std::optional<Definition> {
    const auto found = bodies.find(name);
    if (found == bodies.end()) return std::nullopt;
    return Definition{&found->second, question_.zone};
  };
  EXPECT_EQ(answer("in segment buyers and not in segment strangers"), "true");
  EXPECT_EQ(answer("in segment strangers", "bo"), "true");
  EXPECT_EQ(answer("tag.least"), "5");
  EXPECT_EQ(answer("in segment unheard"), "false");
  EXPECT_EQ(translate(parsed("in segment snake"), question_).status().code(),
            absl::StatusCode::kInvalidArgument);
}

// However many functions a rule has, its events are walked once.
TEST_F(TranslateTest, OneWalk) {
  const auto sql = translate(
      parsed(
          R"(count("A") > 1 and sum(p of "B", last 7 days) > 2 and sequence("A" then "B") and top(c of "A") = "x")"),
      question_);
  ASSERT_TRUE(sql.ok());
  const size_t first = sql->find("FROM events");
  EXPECT_NE(first, std::string::npos);
  EXPECT_EQ(sql->find("FROM events", first + 1), std::string::npos);
}

}  // namespace
}  // namespace kehu::translation
