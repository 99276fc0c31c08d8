#include "rule/value.h"

#include <gtest/gtest.h>

namespace kehu::rule {
namespace {

BusinessZone zone_of(std::string_view name) { return *BusinessZone::load(name); }

// As it stands in JSON.
Value read(std::string_view raw) {
  json::Kind kind = json::Kind::kNumber;
  if (raw.starts_with('"')) kind = json::Kind::kString;
  if (raw.starts_with('{')) kind = json::Kind::kObject;
  if (raw.starts_with('[')) kind = json::Kind::kArray;
  if (raw == "true" || raw == "false") kind = json::Kind::kBool;
  if (raw == "null") kind = json::Kind::kNull;
  return Value::of(json::RawValue{kind, raw});
}

template <class T, class Show>
std::string shown(const std::optional<T>& value, Show show) {
  return value ? std::string(show(*value)) : "none";
}

struct ReadingCase {
  std::string_view given;
  std::string_view truth;
  std::string_view number;
  std::string_view text;
  std::string_view instant;
};

TEST(Value, IsReadAsThePlaceAsks) {
  const ReadingCase cases[] = {
      {"null", "none", "none", "none", "none"},
      {"{}", "none", "none", "none", "none"},
      {"[1]", "none", "none", "none", "none"},
      {"true", "yes", "none", "true", "none"},
      {"false", "no", "none", "false", "none"},
      {R"("true")", "none", "none", "true", "none"},
      {"12.50", "none", "12.5", "12.50", "none"},
      {"-0", "none", "0", "-0", "none"},
      {"1e3", "none", "1000", "1e3", "none"},
      {"0.00005", "none", "0.0001", "0.00005", "none"},
      {"-0.00005", "none", "-0.0001", "-0.00005", "none"},
      {"1e20", "none", "none", "1e20", "none"},
      {"20260131", "none", "20260131", "20260131", "none"},
      {R"("12.50")", "none", "12.5", "12.50", "none"},
      {R"("-3")", "none", "-3", "-3", "none"},
      {R"("\u0031")", "none", "1", "1", "none"},
      {R"("007")", "none", "7", "007", "none"},
      {R"("")", "none", "none", "", "none"},
      {R"(" 3")", "none", "none", " 3", "none"},
      {R"("+3")", "none", "none", "+3", "none"},
      {R"("3.")", "none", "none", "3.", "none"},
      {R"(".5")", "none", "none", ".5", "none"},
      {R"("-")", "none", "none", "-", "none"},
      {R"("1e3")", "none", "none", "1e3", "none"},
      {R"("1,299")", "none", "none", "1,299", "none"},
      {R"("1.2.3")", "none", "none", "1.2.3", "none"},
      {R"("100000000000000")", "none", "100000000000000", "100000000000000", "none"},
      {R"("100000000000001")", "none", "none", "100000000000001", "none"},
      {R"("\u4e0a海")", "none", "none", "上海", "none"},
      {R"("2026-01-31")", "none", "none", "2026-01-31", "2026-01-30T16:00:00.000Z"},
      {R"("2026-01-31T10:00:00")", "none", "none", "2026-01-31T10:00:00", "2026-01-31T02:00:00.000Z"},
      {R"("2026-01-31 10:00")", "none", "none", "2026-01-31 10:00", "2026-01-31T02:00:00.000Z"},
      {R"("2026-01-31T10:00:00.123456Z")", "none", "none", "2026-01-31T10:00:00.123456Z",
       "2026-01-31T10:00:00.123456Z"},
      {R"("2026-01-31T10:00:00+01:00")", "none", "none", "2026-01-31T10:00:00+01:00",
       "2026-01-31T09:00:00.000Z"},
      {R"("2026-02-30")", "none", "none", "2026-02-30", "none"},
      {R"("1900-01-01")", "none", "none", "1900-01-01", "none"},
      {R"("2026/01/31")", "none", "none", "2026/01/31", "none"},
  };
  const BusinessZone zone = zone_of("Asia/Shanghai");
  for (const ReadingCase& c : cases) {
    SCOPED_TRACE(c.given);
    const Value value = read(c.given);
    EXPECT_EQ(value.known(), c.text != "none");
    EXPECT_EQ(shown(as_bool(value), [](bool b) { return b ? "yes" : "no"; }), c.truth);
    EXPECT_EQ(shown(as_number(value), sum_to_string), c.number);
    EXPECT_EQ(shown(as_text(value, zone), [](const std::string& text) { return text; }), c.text);
    EXPECT_EQ(shown(as_instant(value, zone), format_utc), c.instant);
  }
}

TEST(Value, DatesBeginWhereTheZoneSays) {
  struct Case {
    std::string_view zone;
    std::string_view given;
    std::string_view want;
  };
  const Case cases[] = {
      {"Europe/Berlin", "2026-03-29", "2026-03-29T00:00:00.000+01:00"},
      {"Europe/Berlin", "2026-03-30", "2026-03-30T00:00:00.000+02:00"},
      {"Europe/Berlin", "2026-03-29T02:30:00", "2026-03-29T03:00:00.000+02:00"},
      {"America/New_York", "2026-11-01T01:30:00", "2026-11-01T01:30:00.000-04:00"},
      {"Australia/Lord_Howe", "2026-04-05T12:00:00", "2026-04-05T12:00:00.000+10:30"},
  };
  for (const Case& c : cases) {
    const BusinessZone zone = zone_of(c.zone);
    const auto got = as_instant(Value::of(c.given), zone);
    ASSERT_TRUE(got) << c.given;
    EXPECT_EQ(zone.format(*got), c.want) << c.given;
  }
}

TEST(Value, ComputedOnesAsTexts) {
  const BusinessZone zone = zone_of("Asia/Shanghai");
  EXPECT_EQ(as_text(Value::of(Sum{125'000}), zone), "12.5");
  EXPECT_EQ(as_text(Value::of(Sum{-1}), zone), "-0.0001");
  EXPECT_EQ(as_text(Value::of(true), zone), "true");
  EXPECT_EQ(as_text(Value::of(Instant::from_seconds(0)), zone), "1970-01-01T08:00:00.000+08:00");
  EXPECT_EQ(as_text(Value(), zone), std::nullopt);
}

TEST(Value, TextsAreWhole) {
  const std::string text(1000, 'x');
  EXPECT_EQ(Value::of(text).text, text);
  EXPECT_EQ(read("\"" + text + "\"").text, text);
}

TEST(Value, DividedRoundsHalfAwayFromZero) {
  struct Case {
    int64_t dividend;
    int64_t divisor;
    int64_t want;
  };
  const Case cases[] = {{10, 4, 3}, {-10, 4, -3}, {10, 3, 3},  {-10, 3, -3}, {11, 3, 4}, {-11, 3, -4},
                        {0, 7, 0},  {1, 2, 1},    {-1, 2, -1}, {1, 3, 0},    {9, 1, 9},  {5, 9, 1}};
  for (const Case& c : cases) {
    EXPECT_EQ(static_cast<int64_t>(divided(c.dividend, c.divisor)), c.want) << c.dividend << "/" << c.divisor;
  }
}

TEST(Value, Lists) {
  const Value list = Value::list({std::vector<std::string>{"a\"b", "北京", ""}});
  EXPECT_EQ(list.text, R"(["a\"b","北京",""])");
  EXPECT_EQ(Value::list_of_json(list.text), list);
  EXPECT_EQ(Value::list_of_json(R"([ "a\u0022b" , "\u5317京", ""])"), list);
  const std::vector<Value> each = elements(list);
  ASSERT_EQ(each.size(), 3u);
  EXPECT_EQ(each[0], Value::of(std::string_view("a\"b")));
  EXPECT_FALSE(Value::list({}).known());
  for (const char* json : {"", "[", "[]", "[1]", "\"a\"", "{}", "[\"a\",null]"}) {
    EXPECT_FALSE(Value::list_of_json(json).known()) << json;
  }
  EXPECT_FALSE(as_number(Value::list({std::vector<std::string>{"1"}})));
  EXPECT_FALSE(as_instant(Value::list({std::vector<std::string>{"2026-01-31"}}), {}));
  EXPECT_EQ(elements(Value::of(true)), std::vector<Value>({Value::of(true)}));
}

}  // namespace
}  // namespace kehu::rule
