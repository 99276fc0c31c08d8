#include "notation/parse.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "notation/keywords.h"
#include "rule/test_random_rules.h"
#include "rule/tree_json.h"

namespace kehu::notation {
namespace {

std::string read_tree(const std::string& name) {
  std::stringstream text;
  text << std::ifstream(std::string(KEHU_SOURCE_DIR) + "/" + name).rdbuf();
  return text.str();
}

// The blocks of a page that are indented by four blanks and hold rules.
std::vector<std::string> examples_of(const std::string& page) {
  std::vector<std::string> blocks;
  std::istringstream lines(page);
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    const bool indented = line.starts_with("    ") && line.find_first_not_of(' ') != std::string::npos;
    if (indented && !inside) blocks.emplace_back();
    if (indented) blocks.back().append(line.substr(4)).append("\n");
    inside = indented;
  }
  // The grammar, and JSON.
  std::erase_if(blocks,
                [](const std::string& block) { return block.starts_with("file  ") || block[0] == '{'; });
  return blocks;
}

TEST(Parse, ReadsTheExamplesOfTheGuide) {
  const auto blocks = examples_of(read_tree("docs/rules.md"));
  ASSERT_FALSE(blocks.empty());
  for (const std::string& block : blocks) {
    std::vector<Definition> definitions;
    const auto problem = parse_file(block, definitions);
    ASSERT_FALSE(problem) << problem->place.line << ":" << problem->place.column << " " << problem->message
                          << " " << problem->expected << "\n"
                          << block;
    EXPECT_FALSE(definitions.empty());
  }
}

TEST(Parse, GivesTheJsonOfTheGuide) {
  const std::string page = read_tree("docs/rules.md");
  const size_t begin = page.find("```json\n") + 8;
  const auto json = rule::definition_from_json(page.substr(begin, page.find("```", begin) - begin));
  ASSERT_TRUE(json.ok()) << json.status().message();
  std::vector<Definition> definitions;
  ASSERT_FALSE(parse_file(examples_of(page)[0], definitions));
  EXPECT_EQ(definitions[0], *json) << rule::to_json(definitions[0]);
}

std::string said(const std::optional<rule::Problem>& problem) {
  if (!problem) return "no problem";
  return std::to_string(problem->place.line) + ":" + std::to_string(problem->place.column) + " " +
         problem->message + " | " + problem->expected + " | " + problem->suggestion;
}

TEST(Parse, GivesThisTree) {
  struct Case {
    std::string_view text;
    std::string_view json;
  };
  const Case cases[] = {
      {"count(\"A\" where channel = \"x\", last 30 days) >= 3",
       R"({"op":"at_least","of":[{"op":"count","window":{"kind":"last","count":30,"unit":"day"},"of":[{"op":"events","text":"A","of":[{"op":"equal","of":[{"op":"channel"},{"op":"text","text":"x"}]}]}]},{"op":"number","number":3}]})"},
      {"days_since(last \"A\") >= 7",
       R"({"op":"at_least","of":[{"op":"days_since","of":[{"op":"last","of":[{"op":"events","text":"A"}]}]},{"op":"number","number":7}]})"},
      {"first(\"A\") within last 30 days",
       R"({"op":"within","window":{"kind":"last","count":30,"unit":"day"},"of":[{"op":"first","of":[{"op":"events","text":"A"}]}]})"},
      {"sequence(\"A\" then not \"B\" where x within 10 minutes)",
       R"({"op":"sequence","span":{"count":10,"unit":"minute"},"of":[{"op":"step","of":[{"op":"events","text":"A"}]},{"op":"not_step","of":[{"op":"events","text":"B","of":[{"op":"property","text":"x"}]}]}]})"},
      {"sequence(\"A\" then \"B\" by cart.id, today)",
       R"({"op":"sequence","text":"cart.id","window":{"kind":"today"},"of":[{"op":"step","of":[{"op":"events","text":"A"}]},{"op":"step","of":[{"op":"events","text":"B"}]}]})"},
      {"sum(products[].price of any event, between 2026-01-01 and 2026-01-31)",
       R"({"op":"sum","text":"products[].price","window":{"kind":"between","from":"2026-01-01","to":"2026-01-31"},"of":[{"op":"events"}]})"},
      {"a or b", ""},
      {"trait.a or trait.b and not trait.c or trait.d",
       R"({"op":"or","of":[{"op":"trait","text":"a"},{"op":"and","of":[{"op":"trait","text":"b"},{"op":"not","of":[{"op":"trait","text":"c"}]}]},{"op":"trait","text":"d"}]})"},
      {"1 - 2 + 3",
       R"({"op":"plus","of":[{"op":"minus","of":[{"op":"number","number":1},{"op":"number","number":2}]},{"op":"number","number":3}]})"},
      {"1-2", R"({"op":"minus","of":[{"op":"number","number":1},{"op":"number","number":2}]})"},
      {"-2", R"({"op":"number","number":-2})"},
      {"12.5%", R"({"op":"number","number":0.125})"},
      {"1.5万", R"({"op":"number","number":15000})"},
      {"3亿", R"({"op":"number","number":300000000})"},
      {"0.00010", R"({"op":"number","number":0.0001})"},
      {"true", R"({"op":"bool","number":1})"},
      {"2026-01-31", R"({"op":"date","date":"2026-01-31"})"},
      {"now - 3 days", R"({"op":"minus","of":[{"op":"now"},{"op":"span","span":{"count":3,"unit":"day"}}]})"},
      {"band(trait.a, -1 below 0, else 2)",
       R"({"op":"band","of":[{"op":"trait","text":"a"},{"op":"number","number":-1},{"op":"number","number":0},{"op":"number","number":2}]})"},
      {"band(trait.a, 1)", ""},
      {"band(trait.a, else 1)", ""},
      {"band(trait.a, 1 below 2, else 3, 4 below 5)", ""},
      {"top(3, a.b of \"A\")", R"({"op":"top_n","text":"a.b","number":3,"of":[{"op":"events","text":"A"}]})"},
      {"top(1.5, a of \"A\")", ""},
      {"distinct(channel of any event)", R"({"op":"distinct","text":".channel","of":[{"op":"events"}]})"},
      {"distinct(`channel` of any event)", R"({"op":"distinct","text":"channel","of":[{"op":"events"}]})"},
      {"source of trait.a", R"({"op":"trait_source","text":"a"})"},
      {"time of trait.`a b`", R"({"op":"trait_time","text":"a b"})"},
      {"time of x", ""},
      {"trait.a not in (\"x\", 1)",
       R"({"op":"not","of":[{"op":"in","of":[{"op":"trait","text":"a"},{"op":"list","of":[{"op":"text","text":"x"},{"op":"number","number":1}]}]}]})"},
      {"trait.hour is unknown",
       R"({"op":"not","of":[{"op":"is_known","of":[{"op":"trait","text":"hour"}]}]})"},
      {"\"a\\n\\\"\\u4e2d\\ud83d\\ude00\"", R"({"op":"text","text":"a\n\"中😀"})"},
      {"did(\"A\" where `channel` = channel)",
       R"({"op":"did","of":[{"op":"events","text":"A","of":[{"op":"equal","of":[{"op":"property","text":"channel"},{"op":"channel"}]}]}]})"},
      {"nth(2, \"A\") before today",
       R"({"op":"less","of":[{"op":"nth","number":2,"of":[{"op":"events","text":"A"}]},{"op":"today"}]})"},
  };
  for (const auto& [text, json] : cases) {
    Node node;
    const auto problem = parse_expression(text, node);
    EXPECT_EQ(problem.has_value(), json.empty()) << text << ": " << said(problem);
    if (problem) continue;
    EXPECT_EQ(rule::to_json(node), json) << text;
  }
}

TEST(Parse, BothLanguagesGiveOneTree) {
  constexpr std::pair<std::string_view, std::string_view> kCases[] = {
      {"count(\"A\" where channel = \"x\", last 30 days) >= 3", "次数(“A” 其中 渠道＝“x”， 最近30天)＞＝3"},
      {"count(\"A\") >= 3 and not did(\"B\", today)", "（次数（\"A\"）≥3）且非做过（\"B\"，今天）"},
      {"sum(revenue of \"A\", last 3 months) > 10000", "总和(\"A\" 的 revenue, 最近3个月)>1万"},
      {"sum(revenue of \"A\" where x = 1, this month) > 1", "总和(\"A\" 其中 x = 1 的 revenue, 本月) > 1"},
      {"sum(revenue of \"A\", previous week) > 1", "总和(revenue 的 \"A\", 上周) > 1"},
      {"first(\"A\") within last 30 days", "首次(\"A\") 在最近30天内"},
      {"first(\"A\") before 2026-01-01", "第一次(\"A\") 早于 2026-01-01"},
      {"trait.city in (\"北京\", \"Beijing\")", "特征.city 属于（“北京”、“Beijing”）"},
      {"trait.city not in (\"北京\") and not in segment 黑名单",
       "特征.city 不属于 (\"北京\") 且 不属于分群 黑名单"},
      {"in list VIP and not in list 黑名单", "在名单 VIP 且 不属于名单 黑名单"},
      {"in list 双11 or not in list 黑名单", "属于名单 双11 或 不在名单 黑名单"},
      {"list.会员等级 = \"金卡\" and list.VIP is known", "名单.会员等级 = “金卡” 且 名单.VIP 已知"},
      {"sequence(\"A\" then not \"B\" by id within 10 minutes)",
       "序列(\"A\" 然后 未 \"B\" 按 id 在10分钟内)"},
      {"stage(\"A\" then \"B\", last 7 days)", "阶段(\"A\" 随后 \"B\", 近7天)"},
      {"trait.b birthday in the next 7 days", "特征.b 生日在未来7天内"},
      {"case when trait.a then 1 else 2 end", "分情况 当 特征.a 则 1 否则 2 结束"},
      {"did(\"A\" where hour between 22 and 24)", "做过(\"A\" 其中 钟点介于22到24)"},
      {"did(\"A\" where workday or holiday = \"春节\")", "做过(\"A\" 其中 工作日或节假日＝“春节”)"},
      {"top(3, category of \"A\", last 90 days) contains \"x\"",
       "最常见(3, category 的 \"A\", 最近90天) 包含 “x”"},
      {"top(3, category of \"A\") = \"x\"", "最常见(3, \"A\" 的 category) = “x”"},
      {"first(channel of \"A\") = last(source of \"A\", today)",
       "首次(\"A\" 的 渠道) = 末次(来源 的 \"A\", 今天)"},
      {"sequence(\"A\" then \"B\" by source)", "序列(\"A\" 然后 \"B\" 按 来源)"},
      {"time of trait.city within last 7 days and source of trait.city = \"crm\"",
       "特征.city 的时间 在最近7天内 且 特征.city 的来源 = “crm”"},
      {"time of trait.a before now", "特征.a 的 时间 早于 现在"},
      {"age(trait.birthday) between 18 and 35", "年龄(特征.birthday) 介于18到35"},
      {"band(count(\"A\"), \"低\" below 10, \"中\" below 50, else \"高\") = \"中\"",
       "分档(次数(\"A\")，“低”低于10，“中”低于50，否则“高”) = “中”"},
      {"did(\"A\", since 2026-01-01)", "做过(\"A\", 自 2026-01-01)"},
      {"did(any event, last 2 hours)", "做过(任意事件, 过去2小时)"},
      {"last \"A\" after now - 3 days", "末次 \"A\" 晚于 现在 - 3天"},
      {"days_since(last(\"A\")) >= 7", "距今天数(最后一次(\"A\"))>=7"},
      {"trait.时间 is known and trait.b is unknown", "特征.时间 已知 且 特征.b 未知"},
      {"ever(\"A\") or tag.x = \"y\"", "曾经(\"A\") 或者 标签.x＝\"y\""},
      {"count(\"A\") > 3 and count(\"A\") < 5", "次数(\"A\") 大于3 且 次数(\"A\")小于5"},
      {"count(\"A\") >= 3 and count(\"A\") <= 5", "次数(\"A\")大于等于3 且 次数(\"A\") 不超过 5"},
      {"count(\"A\") >= 3 and count(\"A\") <= 5", "次数(\"A\") 不小于3且次数(\"A\")不大于5"},
      {"count(\"A\") >= 3 or count(\"A\") <= 5", "次数(\"A\")大于或等于3 或 次数(\"A\") 小于或等于5"},
      {"sum(a of \"A\") > 10000 and sum(a of \"A\") < 15000",
       "总和(\"A\" 的 a) 大于1万 且 总和(\"A\" 的 a) 小于1.5万"},
      {"sum(a of \"A\") > 20000 and true = true", "总和(\"A\" 的 a)大于2万且真等于真"},
      {"share(\"A\" where x, last 30 days) > 0.125", "占比(\"A\" 其中 x，近30天)大于12.5%"},
      {"trait.city = \"x\" or trait.city != \"y\"", "特征.city 等于 “x” 或 特征.city 不等于“y”"},
      {"trait.city is unknown and trait.b is known", "特征.city 为空 且 特征.b 不为空"},
      {"did(\"A\", today) or did(\"A\", yesterday)", "做过(\"A\"，今日)或做过(\"A\"，昨日)"},
      {"did(\"A\", this year) or did(\"A\", previous year)", "做过(\"A\"，今年)或做过(\"A\"，去年)"},
      {"did(\"A\", this year) or did(\"A\", previous year)", "做过(\"A\"，本年)或做过(\"A\"，上一年)"},
      {"first(\"A\") within this year", "首次(\"A\") 在今年内"},
      {"case when trait.a is unknown then 1 else 2 end", "分情况 当 特征.a 为空 为 1 否则 2 结束"},
  };
  for (const auto& [english, chinese] : kCases) {
    Node a, b;
    const auto first = parse_expression(english, a), second = parse_expression(chinese, b);
    ASSERT_FALSE(first) << english << ": " << said(first);
    ASSERT_FALSE(second) << chinese << ": " << said(second);
    EXPECT_EQ(rule::to_json(a), rule::to_json(b)) << chinese;
  }
}

TEST(Parse, SaysWhereAndWhatWasExpected) {
  struct Case {
    std::string_view text;
    std::string_view said;  // the whole of it
  };
  const Case cases[] = {
      {"",
       "1:1 the text ends too early | a value: a text, a number, trait.NAME, a function such as count(…) | "},
      {"cuont(\"A\") > 3", "1:1 there is no function cuont | a function such as count(…) | count"},
      {"city = \"x\"",
       "1:1 city is the name of a property, and those stand inside of where | trait.city, tag.city, a "
       "function such as count(…), or a text in double quotes | trait.city"},
      {"did(\"A\") AND did(\"B\")", "1:10 AND does not belong here | and, or, or the end | and"},
      {"trait.a in list b",
       "1:12 in list stands by itself | in list NAME, without a value in front of it | "},
      {"did(\"A\" where list = 3)",
       "1:15 list does not belong here | a value; a property of this name stands in backticks | `list`"},
      {"did(Order)",
       "1:5 the name of an event is missing | the name of an event in double quotes, or any event | "
       "\"Order\""},
      {"did(\"A\" where day = 3)",
       "1:15 day does not belong here | a value; a property of this name stands in backticks | `day`"},
      {"sum(count of \"A\")",
       "1:5 count is a keyword | a property; one of this name stands in backticks | `count`"},
      {"sum(\"A\" of x)",
       "1:9 of does not belong here | the property in front of the event: revenue of \"Order Completed\" | "},
      {"sum(\"A\")",
       "1:8 ) does not belong here | the property in front of the event: revenue of \"Order Completed\" | "},
      {"did(\"A\", last days)", "1:15 days does not belong here | a whole number | "},
      {"did(\"A\", last 3 dyas)",
       "1:17 dyas does not belong here | a unit: seconds, minutes, hours, days, weeks, months, quarters or "
       "years | days"},
      {"did(\"A\", last 1.5 days)", "1:15 1.5 does not belong here | a whole number | "},
      {"did(\"A\", last 0 days)", "1:15 the window has 0 days | 1 to 1100 days | "},
      {"did(\"A\", last 1101 days)", "1:15 the window has 1101 days | 1 to 1100 days | "},
      {"首次(\"A\") 在最近0天内", "1:12 the window has 0 days | 1 to 1100 days | "},
      {"did(\"A\", last 37 months)", "1:15 the window has 37 months | 1 to 36 months | "},
      {"did(\"A\", this day)",
       "1:15 there is no window of this or the previous days | today, yesterday, or this or previous week, "
       "month, quarter or year | "},
      {"did(\"A\", between 2026-02-01 and 2026-01-31)",
       "1:18 the window ends before it begins | the earlier date first | "},
      {"sequence(\"A\" then \"B\" within 4 years)", "1:30 the sequence has 4 years | 1 to 3 years | "},
      {"did(\"A\", since 2026-02-30)",
       "1:16 there is no date 2026-02-30 | a date from 1900 to 2199 such as 2026-01-31 | "},
      {"band(trait.a, 1)", "1:16 ) does not belong here | below | "},
      {"band(trait.a, else 1)",
       "1:15 else does not belong here | a band: \"low\" below 1000, or else \"high\" | "},
      {"ever(\"A\", today)", "1:9 ever looks at all events | did(…) with a window | did"},
      {"trait.a == 3", "1:9 the sign == means nothing in a rule |  | ="},
      {"trait.a && trait.b", "1:9 the sign && means nothing in a rule |  | and"},
      {"trait.a = 'x'", "1:11 the sign ' means nothing in a rule |  | \"…\""},
      {"trait.a = \"x",
       "1:11 a text is not closed in its line | a quote behind the text; a line break in it is \\n | "},
      {"特征.城市 = “北京” 且\n  特征.级别 ?",
       "2:9 the sign ? means nothing in a rule | texts in double quotes, and names with other signs in "
       "backticks | "},
      {"\"\\x\"",
       "1:2 an escape is none | \\\", \\\\, \\n, \\` or \\u and four digits of a character, such as \\u4e2d "
       "| "},
      {"did(\"A\\u0000\")",
       "1:7 a control character stands in a rule | letters, signs, tabs and line breaks | "},
      {"trait.`a\x01` = 1",
       "1:9 a control character stands in a rule | letters, signs, tabs and line breaks | "},
      {std::string_view("did(\"A\")\n# \0", 12),
       "2:3 a control character stands in a rule | letters, signs, tabs and line breaks | "},
      {std::string_view("did(\"A\0\")", 9),
       "1:7 a control character stands in a rule | letters, signs, tabs and line breaks | "},
      {"0.00001",
       "1:1 the number 0.00001 has more than four decimal places, or is too large | a number below "
       "100000000000000 with at most four places | "},
      {"trait.a before trait.b",
       "1:1 before and after compare instants, and neither side is known to be one | now, today, a date such "
       "as 2026-01-31, or first(…) or last(…) on one side | "},
      {"trait.a in segment x",
       "1:12 in segment stands by itself | in segment NAME, without a value in front of it | "},
      {"trait.a within 3 days",
       "1:16 3 does not belong here | a window: last 30 days, today, yesterday, this month, previous month, "
       "since 2026-01-31, between 2026-01-01 and 2026-01-31 | last 3 days"},
      {"case when trait.a then 1", "1:25 the text ends too early | end | "},
      {"(trait.a", "1:9 the text ends too early | ) | "},
      {"in segment \"x\"",
       "1:12 x is no name | a name of letters, digits and _ that begins with a letter, or any in backticks | "
       "`x`"},
      {"in segment 7日活跃",
       "1:12 7 is no name | a name of letters, digits and _ that begins with a letter, or any in backticks | "
       "`7日活跃`"},
  };
  for (const auto& [text, what] : cases) {
    Node node;
    EXPECT_EQ(said(parse_expression(text, node)), what) << text;
  }
}

TEST(Parse, SaysWhatOthersWordsAreCalledHere) {
  struct Case {
    std::string_view text;
    std::string_view place;
    std::string_view suggestion;
  };
  const Case cases[] = {
      {"trait.city is null", "1:12", "is unknown"},
      {"trait.city is empty", "1:12", "is unknown"},
      {"trait.city is not known", "1:12", "is unknown"},
      {"trait.city is not null", "1:12", "is known"},
      {"trait.city is \"x\"", "1:12", "="},
      {"trait.city is not \"x\"", "1:12", "!="},
      {"did(\"A\" where city is null)", "1:20", "is unknown"},
      {"trait.city not contains \"x\"", "1:12", "not"},
      {"trait.city does not contain \"x\"", "1:12", "not"},
      {"trait.city like \"x\"", "1:12", "contains"},
      {"trait.city equals \"x\"", "1:12", "="},
      {"count(\"A\") at least 3", "1:12", ">="},
      {"first(\"A\") in the last 30 days", "1:15", "within"},
      {"first(\"A\") in last 30 days", "1:15", "within"},
      {"did(\"A\", last month)", "1:15", "previous month"},
      {"did(\"A\", last year)", "1:15", "previous year"},
      {"did(\"A\", last day)", "1:15", "yesterday"},
      {"did(\"A\", 30 days)", "1:10", "last 30 days"},
      {"average(a of \"A\") > 3", "1:1", "avg"},
      {"total(a of \"A\") > 3", "1:1", "sum"},
      {"did(\"A\" where all(products[].price > 3))", "1:15", "not"},
      {"all(trait.a)", "1:1", "not"},
      {"exists(\"A\")", "1:1", "did"},
      {"特征.city 是 “x”", "1:9", "="},
      {"特征.city 不是 “x”", "1:9", "!="},
      {"特征.city 不包含 “x”", "1:9", "非"},
      {"特征.city 非空", "1:9", "不为空"},
      {"次数(\"A\") 超过 3", "1:9", ">"},
      {"次数(\"A\") 不少于 3", "1:9", ">="},
      {"求和(\"A\" 的 a) > 3", "1:1", "总和"},
      {"做过(\"A\", 近三个月)", "1:9", "最近3个月"},
      {"做过(\"A\", 最近十五天)", "1:9", "最近15天"},
      {"做过(\"A\", 最近 三十天)", "1:12", "30天"},
      {"做过(\"A\", 半年)", "1:9", "最近6个月"},
      {"做过(\"A\", 近半年)", "1:9", "最近6个月"},
      {"做过(\"A\", 最近月)", "1:11", "上月"},
      {"做过(\"A\", 30天内)", "1:9", "最近30天"},
  };
  for (const auto& [text, place, suggestion] : cases) {
    Node node;
    const auto problem = parse_expression(text, node);
    ASSERT_TRUE(problem) << text;
    EXPECT_EQ(std::to_string(problem->place.line) + ":" + std::to_string(problem->place.column), place)
        << text << ": " << said(problem);
    EXPECT_EQ(problem->suggestion, suggestion) << text << ": " << said(problem);
  }
}

TEST(Parse, ReadsFilesOfDefinitions) {
  struct Case {
    std::string_view text;
    std::string_view said;
  };
  const Case cases[] = {
      {"segment = did(\"A\")",
       "1:9 = is no name | a name of letters, digits and _ that begins with a letter, or any in backticks "
       "| "},
      {"sgement X = did(\"A\")",
       "1:1 sgement does not belong here | segment NAME = …, tag NAME = … or check NAME = … | segment"},
      {"segment X did(\"A\")",
       "1:11 did does not belong here | = or owner \"…\", description \"…\", time zone \"…\", and of tags "
       "when empty keep | "},
      {"segment X = did(\"A\") foo", "1:22 foo does not belong here | and, or, or the next definition | "},
      {"segment X when empty keep = true",
       "1:11 when does not belong here | = or owner \"…\", description \"…\", time zone \"…\", and of tags "
       "when empty keep | "},
      {"segment X owner \"a\" description \"b\" owner \"c\" = true",
       "1:37 owner is there a second time | = or what was not said yet | "},
      {"tag X 负责人 \"a\" owner \"c\" = 1",
       "1:15 owner is there a second time | = or what was not said yet | "},
      {"tag X when empty keep when empty clear = 1",
       "1:23 when empty clear is there a second time | = or what was not said yet | "},
      {"segment X = \xff", "1:13 a byte is not UTF-8 | a text in UTF-8 | "},
      {"# nothing\n", "no problem"},
  };
  for (const auto& [text, what] : cases) {
    std::vector<Definition> definitions;
    EXPECT_EQ(said(parse_file(text, definitions)), what) << text;
  }
  std::vector<Definition> read;
  ASSERT_EQ(
      said(parse_file("\xef\xbb\xbf# first\r\n分群 最近7天 负责人：\"me\" 时区 \"Asia/Shanghai\" = true\r\n"
                      "tag `a b` when empty keep description \"x\" = in segment 最近7天\n"
                      "tag hour = 1 # one\n# two\nsegment Z = trait.a",
                      read)),
      "no problem");
  ASSERT_EQ(read.size(), 4u);
  EXPECT_EQ(read[0].name, "最近7天");
  EXPECT_EQ(read[0].owner, "me");
  EXPECT_EQ(read[0].time_zone, "Asia/Shanghai");
  EXPECT_EQ(read[0].comments, std::vector<std::string>({"first"}));
  EXPECT_EQ(read[1].name, "a b");
  EXPECT_TRUE(read[1].keep_when_empty);
  EXPECT_EQ(read[1].place, (rule::Place{3, 1}));
  EXPECT_EQ(read[2].comments, std::vector<std::string>({"one"}));
  EXPECT_EQ(read[3].comments, std::vector<std::string>({"two"}));
}

TEST(Parse, IsBounded) {
  const auto repeated = [](std::string_view part, size_t times) {
    std::string out;
    for (size_t i = 0; i < times; ++i) out += part;
    return out;
  };
  Node node;
  EXPECT_FALSE(parse_expression(repeated("(", 50) + "1" + repeated(")", 50), node));
  for (const std::string& text :
       {repeated("(", 5000), repeated("not ", 4000) + "true", repeated("1+", 5000) + "1",
        repeated("case when ", 1000), repeated("days_since(", 1000), repeated("-", 5000),
        "trait.a = 1" + repeated(" and trait.a = 1", 500), "\"" + std::string(20'000, 'x') + "\""}) {
    EXPECT_TRUE(parse_expression(text, node)) << text.substr(0, 30);
  }
  std::vector<Definition> definitions;
  EXPECT_TRUE(parse_file("segment X = trait.a = \"" + std::string(17'000, 'x') + "\"", definitions));
}

TEST(Keywords, TheGuideHasTheTable) {
  std::string table;
  for (const KeywordRow& row : kKeywords) {
    const auto cell = [&table](const auto& words) {
      table += "|";
      for (std::string_view word : words) {
        if (!word.empty())
          table += std::string(table.ends_with("|") ? " " : ", ") + "`" + std::string(word) + "`";
      }
      table += " ";
    };
    cell(row.english);
    cell(row.chinese);
    table += "|\n";
  }
  EXPECT_NE(read_tree("docs/rules.md").find("| English | 中文 |\n|---|---|\n" + table), std::string::npos)
      << table;
}

TEST(Keywords, StandInTheOrderOfTheirNames) {
  for (size_t i = 0; i < std::size(kKeywords); ++i) EXPECT_EQ(kKeywords[i].keyword, static_cast<Keyword>(i));
  EXPECT_EQ(std::size(kKeywords), static_cast<size_t>(Keyword::kListed) + 1);
}

TEST(Keywords, SideBySide) {
  using Parts = std::vector<std::string_view>;
  EXPECT_EQ(joined_keywords("最近30天"), Parts({"最近", "30", "天"}));
  EXPECT_EQ(joined_keywords("在最近30天内"), Parts({"在", "最近", "30", "天", "内"}));
  EXPECT_EQ(joined_keywords("不属于分群"), Parts({"不", "属于", "分群"}));
  EXPECT_EQ(joined_keywords("不在名单"), Parts({"不", "在", "名单"}));
  EXPECT_EQ(joined_keywords("最近30天消费"), Parts());
  EXPECT_EQ(joined_keywords("最近"), Parts());
  EXPECT_EQ(joined_keywords("revenue"), Parts());
}

TEST(RandomRules, SameSeedSameTrees) {
  rule::RandomRules a(1, {}), b(1, {});
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(a.segment("x"), b.segment("x"));
  EXPECT_EQ(a.tag("x"), b.tag("x"));
}

}  // namespace
}  // namespace kehu::notation
