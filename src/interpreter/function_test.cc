#include <cmath>

#include "base/hash.h"
#include "base/text.h"
#include "interpreter/test_question.h"

namespace kehu::interpreter {
namespace {

TEST(Function, OfEvents) {
  const std::vector<std::string_view> none = {};
  const std::vector<std::string_view> events = {R"(2026-03-10T09:00 A {"p":10,"c":"b"})",
                                                R"(2026-03-08T09:00 A {"p":"2.5","c":"a"})",
                                                R"(2026-03-10T10:00 A {"p":"many","c":"b"})",
                                                R"(2026-03-10T11:00 A {"p":-1,"c":"a"})",
                                                R"(2026-03-01T09:00 B {"p":100})",
                                                R"(2026-03-09T09:00 page:A {"p":1000})"};
  struct Case {
    std::string_view rule;
    std::string_view want;
    std::string_view without;
  };
  const Case cases[] = {
      {R"(did("A"))", "true", "false"},
      {R"(ever("A"))", "true", "false"},
      {R"(count("A"))", "4", "0"},
      {R"(count(any event))", "6", "0"},
      {R"(count(any event where p = 1000))", "1", "0"},
      {R"(sum(p of "A"))", "11.5", "0"},
      {R"(avg(p of "A"))", "3.8333", "unknown"},
      {R"(min(p of "A"))", "-1", "unknown"},
      {R"(max(p of "A"))", "10", "unknown"},
      {R"(max(c of "A"))", "unknown", "unknown"},
      {R"(distinct(c of "A"))", "2", "0"},
      {R"(distinct(p of "A"))", "4", "0"},
      {R"(top(c of "A"))", "a", "unknown"},
      {R"(top(c of "A" where p > 0))", "a", "unknown"},
      {R"(top(2, c of "A"))", R"(["a","b"])", "unknown"},
      {R"(top(3, p of "A"))", R"(["-1","10","2.5"])", "unknown"},
      {R"(top(2, c of "A" where c = "b"))", R"(["b"])", "unknown"},
      {R"(top(2, c of "A") = "b")", "true", "false"},
      {R"(top(2, c of "A") != "b")", "true", "false"},
      {R"(not (top(2, c of "A") != "b"))", "false", "true"},
      {R"(top(2, c of "A") in ("x", "b"))", "true", "false"},
      {R"(top(2, c of "A") matches "^b$")", "true", "false"},
      {R"(top(2, c of "A") between "aa" and "ab")", "false", "false"},
      {R"(top(2, c of "A") is known)", "true", "false"},
      {R"((case when true then top(2, c of "A") end) = "b")", "true", "false"},
      {R"(first("A"))", "2026-03-08T09:00:00.000+08:00", "unknown"},
      {R"(last("A"))", "2026-03-10T11:00:00.000+08:00", "unknown"},
      {R"(first "A")", "2026-03-08T09:00:00.000+08:00", "unknown"},
      {R"(first(p of "A"))", "2.5", "unknown"},
      {R"(last(p of "A"))", "-1", "unknown"},
      {R"(last(c of "A" where p > 0))", "b", "unknown"},
      {R"(nth(1, "A"))", "2026-03-08T09:00:00.000+08:00", "unknown"},
      {R"(nth(2, "A"))", "2026-03-10T09:00:00.000+08:00", "unknown"},
      {R"(nth(5, "A"))", "unknown", "unknown"},
      {R"(share("A" where p > 0))", "0.5", "unknown"},
      {R"(share("A" where p > 5))", "0.25", "unknown"},
      {R"(share("A" where p > 50))", "0", "unknown"},
      {R"(active_days("A"))", "2", "0"},
      {R"(interval("A"))", "0.6944", "unknown"},
      {R"(interval("B"))", "unknown", "unknown"},
      {R"(days_since(last "A"))", "0", "unknown"},
      {R"(days_since(first "A") >= 2)", "true", "false"},
      {R"(first("A") within last 2 days)", "false", "false"},
      {R"(first("A") within last 3 days)", "true", "false"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(answer({.name = "", .rule = c.rule, .events = events, .want = ""}), c.want) << c.rule;
    EXPECT_EQ(answer({.name = "", .rule = c.rule, .events = none, .want = ""}), c.without) << c.rule;
  }
}

// Each event alone, and whether it is in the window.
TEST(Function, Windows) {
  struct Case {
    std::string_view window;
    std::string_view now;
    std::vector<std::string_view> in;
    std::vector<std::string_view> out;
    std::string_view zone = "Asia/Shanghai";
  };
  const Case cases[] = {
      {"last 15 minutes",
       "2026-03-10T12:00:00.500",
       {"2026-03-10T11:45:01", "2026-03-10T12:00:00.5", "2026-03-10T12:30:00"},
       {"2026-03-10T11:45:00.999"}},
      {"last 16 minutes",
       "2026-03-10T12:00:59.999",
       {"2026-03-10T11:45:00", "2026-03-10T12:30:00"},
       {"2026-03-10T11:44:59.999"}},
      {"last 24 hours", "2026-03-10T12:00:59.999", {"2026-03-09T12:01:00"}, {"2026-03-09T12:00:59.999"}},
      {"last 25 hours", "2026-03-10T12:59:59.999", {"2026-03-09T12:00:00"}, {"2026-03-09T11:59:59.999"}},
      {"last 48 hours",
       "2026-07-10T12:10:00",
       {"2026-07-08T12:30:00"},
       {"2026-07-08T12:29:59.999"},
       "Australia/Lord_Howe"},
      {"last 1 day",
       "2026-03-10T12:00:00",
       {"2026-03-10T00:00:00", "2026-03-10T13:00:00"},
       {"2026-03-09T23:59:59.999"}},
      {"last 1 day", "2026-03-10T00:00:00", {"2026-03-10T00:00:00"}, {"2026-03-09T23:59:59.999"}},
      {"last 2 days",
       "2026-03-09T12:00:00",
       {"2026-03-08T00:00:00"},
       {"2026-03-07T23:59:59.999"},
       "America/New_York"},
      {"last 1 week", "2026-03-10T12:00:00", {"2026-03-04T00:00:00"}, {"2026-03-03T23:59:59.999"}},
      {"last 1 month", "2026-03-31T12:00:00", {"2026-03-01T00:00:00"}, {"2026-02-28T23:59:59.999"}},
      {"last 1 month", "2026-03-28T12:00:00", {"2026-03-01T00:00:00"}, {"2026-02-28T23:59:59.999"}},
      {"last 1 year", "2028-02-29T12:00:00", {"2027-03-01T00:00:00"}, {"2027-02-28T23:59:59.999"}},
      {"today",
       "2026-03-29T12:00:00",
       {"2026-03-29T00:00:00", "2026-03-29T23:59:59.999"},
       {"2026-03-28T23:59:59.999", "2026-03-30T00:00:00"},
       "Europe/Berlin"},
      {"yesterday",
       "2026-03-10T12:00:00",
       {"2026-03-09T00:00:00", "2026-03-09T23:59:59.999"},
       {"2026-03-08T23:59:59.999", "2026-03-10T00:00:00"}},
      {"this week",
       "2026-03-10T12:00:00",
       {"2026-03-09T00:00:00", "2026-03-10T12:30:00"},
       {"2026-03-08T23:59:59.999"}},
      {"previous week",
       "2026-03-10T12:00:00",
       {"2026-03-02T00:00:00", "2026-03-08T23:59:59.999"},
       {"2026-03-01T23:59:59.999", "2026-03-09T00:00:00"}},
      {"this month", "2026-03-10T12:00:00", {"2026-03-01T00:00:00"}, {"2026-02-28T23:59:59.999"}},
      {"previous month",
       "2026-03-10T12:00:00",
       {"2026-02-01T00:00:00", "2026-02-28T23:59:59.999"},
       {"2026-01-31T23:59:59.999", "2026-03-01T00:00:00"}},
      {"previous quarter",
       "2026-03-10T12:00:00",
       {"2025-10-01T00:00:00", "2025-12-31T23:59:59.999"},
       {"2025-09-30T23:59:59.999", "2026-01-01T00:00:00"}},
      {"this year", "2026-03-10T12:00:00", {"2026-01-01T00:00:00"}, {"2025-12-31T23:59:59.999"}},
      {"since 2026-03-01",
       "2026-03-10T12:00:00",
       {"2026-03-01T00:00:00", "2026-03-10T12:30:00"},
       {"2026-02-28T23:59:59.999"}},
      {"between 2026-03-28 and 2026-03-29",
       "2026-04-10T12:00:00",
       {"2026-03-28T00:00:00", "2026-03-29T23:59:59.999"},
       {"2026-03-27T23:59:59.999", "2026-03-30T00:00:00"},
       "Europe/Berlin"},
      {"ever", "2026-03-10T12:00:00", {"1999-01-01T00:00:00", "2026-03-10T13:00:00"}, {}},
  };
  for (const Case& c : cases) {
    const std::string rule = cat("did(\"A\", ", c.window, ")");
    const auto is_in = [&](std::string_view time) {
      const std::string event = cat(time, " A");
      return answer({.name = "", .rule = rule, .events = {event}, .want = "", .now = c.now, .zone = c.zone});
    };
    for (const std::string_view time : c.in) EXPECT_EQ(is_in(time), "true") << rule << " " << time;
    for (const std::string_view time : c.out) EXPECT_EQ(is_in(time), "false") << rule << " " << time;
  }
}

TEST(Function, Edges) {
  expect_answers({
      {.name = "a late event counts where it belongs",
       .rule = R"(first(p of "A"))",
       .events = {R"(2026-03-10T09:00 A {"p":"on time"})", R"(2026-03-01T09:00 A {"p":"late"})"},
       .want = "late"},
      {.name = "an event ahead of its time",
       .rule = R"(last("A"))",
       .events = {"2026-03-10T12:30 A"},
       .want = "2026-03-10T12:30:00.000+08:00"},
      {.name = "which is days away from nothing",
       .rule = R"(days_since(last "A"))",
       .events = {"2026-03-11T00:10 A"},
       .want = "-1",
       .now = "2026-03-10T23:30:00"},
      {.name = "the last that has it",
       .rule = R"(last(p of "A"))",
       .events = {R"(2026-03-10T09:00 A {"p":1})", R"(2026-03-10T10:00 A {"p":null})",
                  "2026-03-10T11:00 A {}"},
       .want = "1"},
      {.name = "of equal times the greatest text",
       .rule = R"(last(p of "A"))",
       .events = {R"(2026-03-10T09:00 A {"p":"9"})", R"(2026-03-10T09:00 A {"p":"10"})"},
       .want = "9"},
      {.name = "for the first, too",
       .rule = R"(first(p of "A"))",
       .events = {R"(2026-03-10T09:00 A {"p":"10"})", R"(2026-03-10T09:00 A {"p":9})"},
       .want = "9"},
      {.name = "in lists, too",
       .rule = R"(first(p[] of "A"))",
       .events = {R"(2026-03-10T09:00 A {"p":["b","c","a"]})"},
       .want = "c"},
      {.name = "a text before a number",
       .rule = R"(first(p of "A") = true)",
       .events = {R"(2026-03-10T09:00 A {"p":true})", R"(2026-03-10T09:00 A {"p":"true"})"},
       .want = "false"},
      {.name = "64 bytes of a value",
       .rule = R"(last(p of "A"))",
       .events = {R"(2026-03-10T09:00 A {"p":"一二三四五六七八九十一二三四五六七八九十一二三"})"},
       .want = "一二三四五六七八九十一二三四五六七八九十一"},
      {.name = "last in a window",
       .rule = R"(last(p of "A", previous month))",
       .events = {R"(2026-03-10T09:00 A {"p":1})", R"(2026-02-10T09:00 A {"p":2})"},
       .want = "2"},
      {.name = "all values of a list",
       .rule = R"(sum(i[].p of "A"))",
       .events = {R"(2026-03-10T09:00 A {"i":[{"p":1},{"p":"2"},{"p":true},{}]})"},
       .want = "3"},
      {.name = "four places",
       .rule = R"(sum(p of "A"))",
       .events = {R"(2026-03-10T09:00 A {"p":0.00005})", R"(2026-03-10T09:00 A {"p":0.00005})"},
       .want = "0.0002"},
      {.name = "large sums",
       .rule = R"(sum(p of "A"))",
       .events = {R"(2026-03-10T09:00 A {"p":99999999999999})", R"(2026-03-10T09:01 A {"p":99999999999999})"},
       .want = "199999999999998"},
      {.name = "a number that is none",
       .rule = R"(max(p of "A"))",
       .events = {R"(2026-03-10T09:00 A {"p":1e20})", R"(2026-03-10T09:00 A {"p":3})"},
       .want = "3"},
      {.name = "a mean rounds away from zero",
       .rule = R"(avg(p of "A"))",
       .events = {R"(2026-03-10T09:00 A {"p":-0.0001})", R"(2026-03-10T09:01 A {"p":0})"},
       .want = "-0.0001"},
      {.name = "texts of numbers and booleans",
       .rule = R"(distinct(p of "A"))",
       .events = {R"(2026-03-10T09:00 A {"p":1})", R"(2026-03-10T09:00 A {"p":"1"})",
                  R"(2026-03-10T09:00 A {"p":1.0})", R"(2026-03-10T09:00 A {"p":true})",
                  R"(2026-03-10T09:00 A {"p":""})", R"(2026-03-10T09:00 A {"p":null})"},
       .want = "4"},
      {.name = "top by code point",
       .rule = R"(top(p[] of "A"))",
       .events = {R"(2026-03-10T09:00 A {"p":["北","b","北","b","a"]})"},
       .want = "b"},
      {.name = "top of a window",
       .rule = R"(top(p of "A", today))",
       .events = {R"(2026-03-10T09:00 A {"p":"b"})", R"(2026-03-09T09:00 A {"p":"a"})",
                  R"(2026-03-09T10:00 A {"p":"a"})"},
       .want = "b"},
      {.name = "share in a window",
       .rule = R"(share("A" where p = 1, today))",
       .events = {R"(2026-03-10T09:00 A {"p":1})", R"(2026-03-10T10:00 A {"p":2})",
                  R"(2026-03-10T11:00 A {"p":2})", R"(2026-03-09T10:00 A {"p":1})"},
       .want = "0.3333"},
      {.name = "days with a change of clocks",
       .rule = R"(active_days("A"))",
       .events = {"2026-03-29T00:00 A", "2026-03-29T23:59:59.999 A", "2026-03-30T00:00 A"},
       .want = "2",
       .now = "2026-04-10",
       .zone = "Europe/Berlin"},
      {.name = "days of 24 hours",
       .rule = R"(interval("A"))",
       .events = {"2026-03-29T00:00 A", "2026-03-30T00:00 A"},
       .want = "0.9583",
       .now = "2026-04-10",
       .zone = "Europe/Berlin"},
      {.name = "civil days since",
       .rule = R"(days_since(last "A"))",
       .events = {"2026-03-28T23:59:59.999 A"},
       .want = "2",
       .now = "2026-03-30T00:00:00",
       .zone = "Europe/Berlin"},
      {.name = "the same moment in another zone",
       .rule = R"(active_days("A"))",
       .events = {"2026-03-09T15:59:59Z A", "2026-03-09T16:00:00Z A"},
       .want = "2"},
  });
}

// Values 0 to n - 1, each once today, and the first one twice on the day before.
class Many {
 public:
  explicit Many(size_t n) {
    for (size_t i = 0; i < n; ++i) texts_.push_back(cat("2026-03-10T09:00 A {\"p\":\"v", i, "\"}"));
    texts_.push_back(R"(2026-03-09T09:00 A {"p":"v0"})");
    texts_.push_back(R"(2026-03-09T10:00 A {"p":"v0"})");
  }
  std::string answer_to(std::string_view rule) const {
    return answer({.name = "", .rule = rule, .events = {texts_.begin(), texts_.end()}, .want = ""});
  }

 private:
  std::vector<std::string> texts_;
};

TEST(Function, ManyDifferentTexts) {
  EXPECT_EQ(Many(256).answer_to(R"(distinct(p of "A"))"), "256");
  EXPECT_EQ(Many(256).answer_to(R"(top(p of "A"))"), "v0");
  EXPECT_EQ(Many(256).answer_to(R"(distinct(p of "A", yesterday))"), "1");

  std::vector<std::pair<uint64_t, size_t>> hashes;
  for (size_t i = 0; i < 1000; ++i) hashes.emplace_back(hash64(cat("v", i)) & 0xffff'ffff'ffff, i);
  std::sort(hashes.begin(), hashes.end());
  const auto largest = static_cast<double>(hashes[255].first);
  const auto estimate = std::llround(255.0 * 281'474'976'710'656.0 / (largest + 1));
  EXPECT_EQ(Many(1000).answer_to(R"(distinct(p of "A"))"), std::to_string(estimate));
  EXPECT_NEAR(static_cast<double>(estimate), 1000, 150);

  size_t place_of_v0 = 0;
  while (hashes[place_of_v0].second != 0) ++place_of_v0;
  const std::string top = Many(1000).answer_to(R"(top(p of "A", yesterday))");
  EXPECT_EQ(top, place_of_v0 < 256 ? "v0" : "unknown");
}

TEST(Function, OfChannelsAndSources) {
  const std::vector<std::string_view> events = {"2026-03-08T09:00 A@web#1", "2026-03-09T09:00 A@app#2",
                                                "2026-03-10T09:00 A@app#1 {\"channel\":\"x\"}",
                                                "2026-03-10T10:00 B#2", "2026-03-10T11:00 C@app#9"};
  struct Case {
    std::string_view rule;
    std::string_view want;
  };
  const Case cases[] = {
      {R"(first(channel of "A"))", "web"},
      {R"(last(channel of "A"))", "app"},
      {R"(last(`channel` of "A"))", "x"},
      {R"(first(source of "A"))", "shop"},
      {R"(last(source of "A", yesterday))", "crm"},
      {R"(top(channel of any event))", "app"},
      {R"(top(2, channel of any event))", R"(["app","unknown"])"},
      {R"(top(source of "A"))", "shop"},
      {R"(distinct(channel of any event))", "3"},
      {R"(distinct(source of any event, last 1 day))", "2"},
      {R"(first(source of "C"))", "unknown"},
      {R"(sequence("A" then "A" by channel))", "true"},
      {R"(sequence("A" then "C" by channel))", "true"},
      {R"(sequence("A" then "B" by channel))", "false"},
      {R"(sequence("A" then "B" by source))", "true"},
      {R"(sequence("A" then "C" by source))", "false"},
      {R"(first(channel of "A" where source = "crm"))", "app"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(answer({.name = "", .rule = c.rule, .events = events, .want = ""}), c.want) << c.rule;
  }
}

}  // namespace
}  // namespace kehu::interpreter
