#include "notation/format.h"

#include <gtest/gtest.h>

#include "base/test_rounds.h"
#include "notation/parse.h"
#include "rule/test_random_rules.h"
#include "rule/tree_json.h"

namespace kehu::notation {
namespace {

using rule::Op;

constexpr Language kLanguages[] = {Language::kEnglish, Language::kChinese};

std::string said(const std::optional<rule::Problem>& problem) {
  if (!problem) return "";
  return std::to_string(problem->place.line) + ":" + std::to_string(problem->place.column) + " " +
         problem->message + "; expected " + problem->expected;
}

// Names and texts that need care.
rule::RandomRuleWorld odd_world() {
  rule::RandomRuleWorld world;
  world.events = {
      "Product Viewed", "a \"quoted\" one", "back\\slash", "下单", "line\nbreak", "`", "“x”", "＂"};
  world.properties = {"revenue", "channel", "时间", "products[].price", "a b.c`d", "first",
                      "7days",   "最近7天", "天"};
  world.traits = {"city", "hour", "a.b", "not", "生日", "生日在未来", "x-y", "#"};
  world.segments = {"沉睡客户", "最近7天", "in", "a.b", "(", "📷"};
  world.tags = {"阶段", "生命周期", "tag.x", "“"};
  world.lists = {"黑名单", "名单", "list", "a.b"};
  world.texts = {"", "x", "\"", "\\", "\n\t", "\r", "全角＂＼", "2026-01-31"};
  return world;
}

TEST(Format, RandomTreesComeBackInBothLanguages) {
  const int count = rounds(2000, 50'000);
  for (int seed = 0; seed < count; ++seed) {
    rule::RandomRules rules(static_cast<uint64_t>(seed), odd_world());
    Definition definition = seed % 2 == 0 ? rules.segment("最近7天") : rules.tag("x y");
    if (seed % 3 == 0) definition.owner = "\"me\"";
    if (seed % 5 == 0) definition.comments = {"why", "", " indented"};
    definition.keep_when_empty = definition.kind == rule::Kind::kTag && seed % 7 == 0;
    for (Language language : kLanguages) {
      const std::string text = format(definition, language);
      std::vector<Definition> read;
      const auto problem = parse_file(text, read);
      ASSERT_FALSE(problem) << "seed " << seed << ": " << said(problem) << "\n" << text;
      ASSERT_EQ(read.size(), 1u) << "seed " << seed << "\n" << text;
      ASSERT_TRUE(read[0] == definition) << "seed " << seed << "\n" << text << format(read[0], language);
    }
  }
}

TEST(Format, CommentsStayWithWhatTheyStandInFrontOf) {
  const std::string text = R"(# of the file
# and of the segment
segment X # of the name
  = # first
  did("A") # behind A
  # in front of B
  or (did( # inside
      "B" where x = 1 # in where
      , today) and trait.a not in ("x", # of y
      "y"))
  or sequence("A" # behind A
     then # in front of not
     not "B" within 3 days)
# of Y
tag Y = case # a
  when trait.b then # value
  "1" # before end
  end # behind all
# of Z
segment Z = # of not
  not # of x
  trait.x in (1) or # of unknown
  not trait.x is known
# at the end
)";
  std::vector<Definition> first;
  ASSERT_FALSE(parse_file(text, first));
  for (Language language : kLanguages) {
    std::string written;
    for (const Definition& definition : first) written += format(definition, language);
    std::vector<Definition> second;
    const auto problem = parse_file(written, second);
    ASSERT_FALSE(problem) << said(problem) << "\n" << written;
    EXPECT_EQ(first, second) << written;
    for (const char* comment :
         {"of the file", "and of the segment", "of the name", "first",           "behind A", "in front of B",
          "inside",      "in where",           "of y",        "in front of not", "of Y",     "# a",
          "value",       "before end",         "of Z",        "of not",          "of x",     "of unknown",
          "behind all",  "at the end"}) {
      EXPECT_NE(written.find(comment), std::string::npos) << comment << "\n" << written;
    }
  }
}

// The deepest trees need the most parentheses, or the longest chain.
TEST(Format, TreesOfTheGreatestDepthComeBack) {
  for (Op op : {Op::kOr, Op::kNot, Op::kPlus, Op::kCase, Op::kEqual, Op::kDaysSince, Op::kPercentile}) {
    Node node{.op = Op::kTrait, .text = "a"};
    for (size_t depth = 1; depth < rule::kRuleDepth; ++depth) {
      const bool other = depth % 2 == 0;
      if (op == Op::kNot) {
        node = other ? Node{.op = op, .of = {node}} : Node{.op = Op::kOr, .of = {node, {.op = Op::kNow}}};
      } else if (op == Op::kDaysSince || op == Op::kPercentile) {
        node = {.op = op, .of = {node}};
      } else {
        node = {.op = op == Op::kOr && other ? Op::kAnd : op, .of = {node, {.op = Op::kNow}}};
      }
    }
    for (Language language : kLanguages) {
      Node read;
      const auto problem = parse_expression(format(node, language), read);
      ASSERT_FALSE(problem) << said(problem) << "\n" << format(node, language);
      EXPECT_TRUE(read == node);
    }
  }
}

TEST(Format, StatementsStandInTheirLines) {
  const std::string_view text =
      "tag 城市等级\n    owner \"li\"\n    = sql \"SELECT customer_id, 'a \\\"b\\\"' AS value\"\n    \"FROM "
      "customers\" every "
      "day\n";
  std::vector<Definition> read;
  const auto problem = parse_file(text, read);
  ASSERT_FALSE(problem) << said(problem);
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].body.op, Op::kSql);
  EXPECT_EQ(read[0].body.text, "SELECT customer_id, 'a \"b\"' AS value\nFROM customers");
  EXPECT_EQ(read[0].body.span, (rule::Span{1, rule::Unit::kDay}));
  EXPECT_EQ(format(read[0], Language::kEnglish), text);
  std::vector<Definition> again;
  const std::string chinese = format(read[0], Language::kChinese);
  EXPECT_NE(chinese.find("= SQL \"SELECT"), std::string::npos) << chinese;
  EXPECT_NE(chinese.find("\" 每天"), std::string::npos) << chinese;
  ASSERT_FALSE(parse_file(chinese, again)) << chinese;
  EXPECT_EQ(again, read);
  EXPECT_TRUE(parse_file("tag a = sql \"SELECT 1\"", again)) << "how often";
  EXPECT_TRUE(parse_file("tag a = sql every day", again)) << "what";
  EXPECT_TRUE(parse_file("tag a = sql \"SELECT 1\" every day and true", again)) << "it is the whole of a tag";
}

TEST(Format, ChecksReadAloud) {
  const std::string_view text =
      "check 合作方城市\n    owner \"li\"\n    = trait.city from \"partner_x\" agrees with tag.常用城市 at "
      "least 0.8\n";
  std::vector<Definition> read, again;
  const auto problem = parse_file(text, read);
  ASSERT_FALSE(problem) << said(problem);
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].kind, rule::Kind::kCheck);
  EXPECT_EQ(read[0].body.number, Decimal::from_units(8000));
  EXPECT_EQ(format(read[0], Language::kEnglish), text);
  const std::string chinese = format(read[0], Language::kChinese);
  EXPECT_EQ(
      chinese,
      "对照 合作方城市\n    负责人 \"li\"\n    = 特征.city 来自 \"partner_x\" 符合 标签.常用城市 至少 0.8\n");
  ASSERT_FALSE(parse_file(chinese, again)) << chinese;
  EXPECT_EQ(again, read);
  const auto same = rule::definition_from_json(rule::to_json(read[0]));
  ASSERT_TRUE(same.ok()) << same.status();
  EXPECT_EQ(*same, read[0]);
  EXPECT_TRUE(parse_file("check a = tag.b from \"x\" agrees with tag.c at least 80%", again)) << "a trait";
  EXPECT_TRUE(parse_file("check a = trait.b agrees with tag.c at least 80%", again)) << "a source";
  EXPECT_TRUE(parse_file("check a = trait.b from \"x\" agrees with tag.c", again)) << "a share";
}

TEST(Format, ChecksOfListsNameNoSource) {
  const std::string_view text = "check 等级 = list.会员等级 agrees with tag.消费档 at least 0.8\n";
  std::vector<Definition> read, again;
  const auto problem = parse_file(text, read);
  ASSERT_FALSE(problem) << said(problem);
  EXPECT_EQ(format(read.at(0), Language::kEnglish), text);
  const std::string chinese = format(read[0], Language::kChinese);
  EXPECT_EQ(chinese, "对照 等级 = 名单.会员等级 符合 标签.消费档 至少 0.8\n");
  ASSERT_FALSE(parse_file(chinese, again)) << chinese;
  EXPECT_EQ(again, read);
  const auto same = rule::definition_from_json(rule::to_json(read[0]));
  ASSERT_TRUE(same.ok()) << same.status();
  EXPECT_EQ(*same, read[0]);
  EXPECT_TRUE(parse_file("check a = list.b from \"x\" agrees with tag.c at least 80%", again)) << "a source";
  EXPECT_TRUE(parse_file("check a = in list b agrees with tag.c at least 80%", again)) << "no value";
}

struct Written {
  const char* text;
  const char* english;
  const char* chinese;
};

TEST(Format, WritesWhatReadsAloud) {
  const Written cases[] = {
      {"not (trait.a in (1))", "trait.a not in (1)", "特征.a 不属于 (1)"},
      {"not (trait.a is known)", "trait.a is unknown", "特征.a 未知"},
      {"((trait.a)) = (1 + (2)) - 3", "trait.a = 1 + 2 - 3", "特征.a = 1 + 2 - 3"},
      {"trait.a = 1 - (2 - 3)", "trait.a = 1 - (2 - 3)", "特征.a = 1 - (2 - 3)"},
      {"(trait.a or trait.b) and trait.c", "(trait.a or trait.b) and trait.c",
       "(特征.a 或 特征.b) 且 特征.c"},
      {"not in list A and list.B = 1", "not in list A and list.B = 1", "不属于名单 A 且 名单.B = 1"},
      {"in list `list`", "in list `list`", "属于名单 `list`"},
      {"last \"A\" > now - 3 days", "last(\"A\") after now - 3 days", "末次(\"A\") 晚于 现在 - 3天"},
      {"百分位(总和(\"A\" 的 x)) ≥ 80", "percentile(sum(x of \"A\")) >= 80",
       "百分位(总和(\"A\" 的 x)) >= 80"},
      {"价值分(\"A\" 的 x, 最近365天)", "rfm(x of \"A\", last 365 days)", "价值分(\"A\" 的 x, 最近365天)"},
      {"did(\"A\", ever)", "ever(\"A\")", "曾经(\"A\")"},
      {"did(\"A\", last 1 days)", "did(\"A\", last 1 day)", "做过(\"A\", 最近1天)"},
      {"did(any event, previous month)", "did(any event, previous month)", "做过(任意事件, 上月)"},
      {"count(\"A\" where `channel` = 1.50) > 1万", "count(\"A\" where `channel` = 1.5) > 10000",
       "次数(\"A\" 其中 `channel` = 1.5) > 10000"},
      {"trait.birthday birthday in the next 7 days", "trait.birthday birthday in the next 7 days",
       "特征.birthday 生日在未来 7天内"},
  };
  for (const auto& [text, english, chinese] : cases) {
    Node node;
    const auto problem = parse_expression(text, node);
    ASSERT_FALSE(problem) << text << " " << said(problem);
    EXPECT_EQ(format(node, Language::kEnglish), english);
    EXPECT_EQ(format(node, Language::kChinese), chinese);
  }
}

}  // namespace
}  // namespace kehu::notation
