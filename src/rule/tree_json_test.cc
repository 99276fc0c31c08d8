#include "rule/tree_json.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace kehu::rule {
namespace {

TEST(TreeJson, LooksLikeThis) {
  const Node events{.op = Op::kEvents, .text = "Order Completed"};
  const Node count{
      .op = Op::kCount, .window = {.kind = Window::Kind::kLast, .span = {30, Unit::kDay}}, .of = {events}};
  const Node three{.op = Op::kNumber, .number = Decimal::from_units(35'000), .comments = {"why"}};
  const Node rule{.op = Op::kAtLeast, .of = {count, three}};
  EXPECT_EQ(
      to_json(rule),
      R"({"op":"at_least","of":[{"op":"count","window":{"kind":"last","count":30,"unit":"day"},)"
      R"("of":[{"op":"events","text":"Order Completed"}]},{"op":"number","number":3.5,"comments":["why"]}]})");
  const Definition definition{
      .kind = Kind::kTag, .name = "x", .body = three, .owner = "me", .keep_when_empty = true};
  EXPECT_EQ(to_json(definition), R"({"kind":"tag","name":"x","owner":"me","keep_when_empty":true,)"
                                 R"("body":{"op":"number","number":3.5,"comments":["why"]}})");
}

TEST(TreeJson, KeepsEveryWindow) {
  for (int kind = 0; kind <= static_cast<int>(Window::Kind::kBetween); ++kind) {
    for (int unit = 0; unit <= static_cast<int>(Unit::kYear); ++unit) {
      Window window{.kind = static_cast<Window::Kind>(kind)};
      if (window.kind == Window::Kind::kLast) window.span = {7, static_cast<Unit>(unit)};
      if (window.kind == Window::Kind::kThis || window.kind == Window::Kind::kPrevious) {
        window.span.unit = static_cast<Unit>(unit);
      }
      if (window.kind >= Window::Kind::kSince) window.from = CivilDay(20'000);
      if (window.kind == Window::Kind::kBetween) window.to = CivilDay(20'001);
      const Node node{.op = Op::kDid, .window = window, .of = {{.op = Op::kEvents}}};
      const auto read = node_from_json(to_json(node));
      ASSERT_TRUE(read.ok()) << read.status().message();
      EXPECT_EQ(*read, node) << to_json(node);
    }
  }
}

TEST(TreeJson, SaysWhichMemberIsWrong) {
  struct Case {
    const char* json;
    const char* message;
  };
  const Case cases[] = {
      {"[]", "is not an object"},
      {"{}", "no \"op\""},
      {R"({"op":"cuont"})", "there is no op \"cuont\"; did you mean \"count\"?"},
      {R"({"op":"now","txet":"a"})", "unknown member \"txet\"; did you mean \"text\"?"},
      {R"({"op":"now","text":3})", "\"text\" is not a text"},
      {R"({"op":"now","text":"x"})", "now has a text"},
      {R"({"op":"number","number":"3"})", "\"number\" is no number"},
      {R"({"op":"date","date":"2026-02-30"})", "\"date\" is no date"},
      {R"({"op":"span","span":{"count":1.5,"unit":"day"}})", "no whole number \"count\""},
      {R"({"op":"span","span":{"count":1,"unit":"days"}})", "there is no unit \"days\""},
      {R"({"op":"did","window":{"kind":"lasst"},"of":[{"op":"events"}]})",
       "there is no kind of window \"lasst\""},
      {R"({"op":"did","window":{"kind":"today","count":1},"of":[{"op":"events"}]})",
       "unknown member \"count\""},
      {R"({"op":"did","of":{}})", "\"of\" is not a list"},
      {R"({"op":"did"})", "did has 0 operands"},
      {R"({"op":"equal","of":[{"op":"now"}]})", "equal has 1 operands"},
      {R"({"op":"not","of":[{"op":"events"}]})", "events stands below not"},
      {R"({"op":"events"})", "events is no rule by itself"},
      {R"({"op":"trait"})", "trait has no name"},
      {R"({"op":"trait","text":".channel"})", "\".channel\" is no path"},
      {R"({"op":"first","text":".time","of":[{"op":"events"}]})", "\".time\" is no path"},
      {R"({"op":"trait","text":"a..b"})", "\"a..b\" is no path"},
      {R"({"op":"now","comments":["a\nb"]})", "more than one line"},
  };
  for (const auto& [json, message] : cases) {
    const auto read = node_from_json(json);
    ASSERT_FALSE(read.ok()) << json;
    EXPECT_NE(read.status().message().find(message), absl::string_view::npos)
        << json << ": " << read.status().message();
  }
  EXPECT_FALSE(definition_from_json(R"({"kind":"list","name":"x","body":{"op":"now"}})").ok());
  EXPECT_FALSE(definition_from_json(R"({"kind":"tag","body":{"op":"now"}})").ok());
  EXPECT_FALSE(definition_from_json(R"({"kind":"tag","name":"x"})").ok());
}

// What is stored was rounded before, and is read as it was then.
TEST(TreeJson, RefusesWhatItWouldChange) {
  const auto taken = [](std::string_view json) { return node_from_json(json, Origin::kSent).ok(); };
  for (const std::string number : {"1", "0", "0.0", "1.0001", "1.00010000", "-12.5", "1e3", "100e-2",
                                   "100000e-5", "1.23456789e6", "0.00000e-9"}) {
    EXPECT_TRUE(taken(cat(R"({"op":"number","number":)", number, "}"))) << number;
  }
  for (const std::string number : {"1.00000001", "1.00001", "-0.00001", "1e-5", "100e-7", "1.23456789e3"}) {
    const std::string json = cat(R"({"op":"number","number":)", number, "}");
    EXPECT_FALSE(taken(json)) << number;
    EXPECT_TRUE(node_from_json(json).ok()) << number;
  }
  for (const std::string text :
       {R"(\ud83d\ude00)", R"(\\ud83d)", R"(\u00e9)", R"(\")", R"(a\n\ud83d\ude00\t)"}) {
    EXPECT_TRUE(taken(cat(R"({"op":"text","text":")", text, "\"}"))) << text;
  }
  for (const std::string text : {R"(\ud83d)", R"(\ude00)", R"(\ud83d\ud83d)", R"(\ude00\ud83d)", R"(\ud83da)",
                                 R"(\\\ud83d)", R"(\uD83D\n)"}) {
    EXPECT_FALSE(taken(cat(R"({"op":"text","text":")", text, "\"}"))) << text;
  }
  EXPECT_FALSE(
      definition_from_json(R"({"kind":"tag","name":"\ud83d","body":{"op":"now"}})", Origin::kSent).ok());
}

TEST(TreeJson, AsDeepAsRulesAre) {
  Node node{.op = Op::kNow};
  for (size_t depth = 1; depth < kRuleDepth; ++depth) node = {.op = Op::kNot, .of = {node}};
  const Definition definition{.name = "x", .body = node};
  EXPECT_TRUE(definition_from_json(to_json(definition)).ok())
      << definition_from_json(to_json(definition)).status().message();
  const Definition deeper{.name = "x", .body = {.op = Op::kNot, .of = {node}}};
  EXPECT_FALSE(definition_from_json(to_json(deeper)).ok());
}

}  // namespace
}  // namespace kehu::rule
