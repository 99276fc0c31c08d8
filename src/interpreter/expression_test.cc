#include "base/text.h"
#include "interpreter/test_question.h"

namespace kehu::interpreter {
namespace {

TEST(Expression, WhatACustomerIs) {
  const std::string_view traits =
      R"({"city":"北京","age":"31","height":1.80,"vip":true,"note":null,"tags":["a"],"address":{"zip":"100000"}})";
  const Question questions[] = {
      {.name = "a trait", .rule = R"(trait.city = "北京")", .want = "true"},
      {.name = "a path into one", .rule = R"(trait.address.zip = "100000")", .want = "true"},
      {.name = "the value itself", .rule = "trait.city", .want = "北京"},
      {.name = "a number as JSON writes it", .rule = "trait.height", .want = "1.80"},
      {.name = "a missing one", .rule = "trait.country", .want = "unknown"},
      {.name = "when it was written", .rule = "time of trait.city", .want = "2026-03-01T09:00:00.000+08:00"},
      {.name = "by whom", .rule = "source of trait.city", .want = "crm"},
      {.name = "when a missing one was", .rule = "time of trait.country is known", .want = "false"},
      {.name = "nor by whom", .rule = R"(source of trait.country != "crm")", .want = "false"},
      {.name = "so many days ago", .rule = "days_since(time of trait.city)", .want = "9"},
      {.name = "null", .rule = "trait.note", .want = "unknown"},
      {.name = "an object", .rule = "trait.address", .want = "unknown"},
      {.name = "a list", .rule = "trait.tags is known", .want = "false"},
      {.name = "a text that is a number", .rule = "trait.age >= 31", .want = "true"},
      {.name = "a number by value", .rule = "trait.height = 1.8", .want = "true"},
      {.name = "a number as a text", .rule = R"(trait.height = "1.80")", .want = "true"},
      {.name = "a text that is no number", .rule = "trait.city > 3", .want = "false"},
      {.name = "not what is unknown", .rule = "not (trait.city > 3)", .want = "true"},
      {.name = "unequal to what is unknown", .rule = R"(trait.country != "CN")", .want = "false"},
      {.name = "a boolean as a condition", .rule = "trait.vip and true", .want = "true"},
      {.name = "a text as a condition", .rule = "trait.city or false", .want = "false"},
      {.name = "a boolean as a text", .rule = R"(trait.vip = "true")", .want = "true"},
      {.name = "known", .rule = "trait.city is known", .want = "true"},
      {.name = "unknown", .rule = "trait.country is unknown", .want = "true"},
      {.name = "a tag", .rule = R"(tag.level = "gold")", .want = "true"},
      {.name = "a tag that is not there", .rule = "tag.other is known", .want = "false"},
      {.name = "a segment", .rule = "in segment blocked", .want = "true"},
      {.name = "not in a segment", .rule = "not in segment other", .want = "true"},
      {.name = "in a list", .rule = R"(trait.city in ("上海", "北京"))", .want = "true"},
      {.name = "not in a list", .rule = R"(trait.city not in ("上海", "北京"))", .want = "false"},
      {.name = "unknown is not in a list", .rule = R"(trait.country not in ("CN"))", .want = "true"},
      {.name = "each item by itself", .rule = R"(trait.age in (31, 40))", .want = "true"},
      {.name = "between with both ends", .rule = "trait.age between 31 and 31", .want = "true"},
      {.name = "between nothing", .rule = "trait.age between 32 and 31", .want = "false"},
      {.name = "contains", .rule = R"(trait.city contains "京")", .want = "true"},
      {.name = "starts with", .rule = R"(trait.city starts with "北")", .want = "true"},
      {.name = "ends with", .rule = R"(trait.city ends with "北")", .want = "false"},
      {.name = "matches anywhere", .rule = R"(trait.age matches "1$")", .want = "true"},
      {.name = "nothing matches unknown", .rule = R"(trait.country matches ".*")", .want = "false"},
      {.name = "texts by code point", .rule = R"(trait.city > "Z")", .want = "true"},
      {.name = "two traits as texts", .rule = "trait.age = trait.height", .want = "false"},
  };
  for (Question question : questions) {
    question.traits = traits;
    EXPECT_EQ(answer(question), question.want) << question.name;
  }
}

TEST(Expression, NumbersAndCases) {
  expect_answers({
      {.name = "a sum", .rule = "1.5 + 2 - 0.0001", .want = "3.4999"},
      {.name = "an unknown part", .rule = "trait.x + 2", .want = "unknown"},
      {.name = "万", .rule = "1万 = 10000", .want = "true"},
      {.name = "per cent", .rule = "12.5% = 0.125", .want = "true"},
      {.name = "the first that holds",
       .rule = R"(case when false then "a" when true then "b" else "c" end)",
       .want = "b"},
      {.name = "else",
       .rule = R"(case when false then "a" when trait.x > 1 then "b" else "c" end)",
       .want = "c"},
      {.name = "no else", .rule = R"(case when false then "a" end)", .want = "unknown"},
      {.name = "an unknown value", .rule = "case when true then trait.x else 1 end", .want = "unknown"},
  });
}

TEST(Expression, Bands) {
  const auto band = [](std::string_view of, std::string_view rest) {
    return cat("band(", of, ", \"low\" below 10, \"middle\" below 20.5", rest, ")");
  };
  const std::string low = band("-3", ""), edge = band("10", ""), below = band("20.4999", ""),
                    beyond = band("20.5", ""), rest = band("20.5", ", else \"high\""),
                    unknown = band("trait.x", ", else \"high\"");
  expect_answers({
      {.name = "the first", .rule = low, .want = "low"},
      {.name = "a bound belongs to the next", .rule = edge, .want = "middle"},
      {.name = "up to a bound", .rule = below, .want = "middle"},
      {.name = "beyond the last", .rule = beyond, .want = "unknown"},
      {.name = "the rest", .rule = rest, .want = "high"},
      {.name = "of what is unknown", .rule = unknown, .want = "unknown"},
      {.name = "numbers", .rule = "band(3, 1 below 2, else 5) + 1", .want = "6"},
  });
}

TEST(Expression, Instants) {
  const std::string_view traits =
      R"({"since":"2026-03-01","seen":"2026-03-10T11:59:59.999+08:00","local":"2026-03-10T12:00:00",
          "dayLater":"2026-03-09T12:00:00-04:00","hoursLater":"2026-03-08T13:00:00-04:00","leap":"2000-02-29","born":"1990-03-17","bad":"soon"})";
  const Question questions[] = {
      {.name = "now", .rule = "trait.local = now and trait.seen != now", .want = "true"},
      {.name = "today", .rule = "today", .want = "2026-03-10T00:00:00.000+08:00"},
      {.name = "a date", .rule = "2026-01-31 < now", .want = "true"},
      {.name = "a day later", .rule = "today + 1 day", .want = "2026-03-11T00:00:00.000+08:00"},
      {.name = "a month before the 31st",
       .rule = "2026-03-31 - 1 month",
       .want = "2026-02-28T00:00:00.000+08:00"},
      {.name = "a day over a change of clocks",
       .rule = "now + 1 day = trait.dayLater",
       .want = "true",
       .now = "2026-03-08T12:00:00",
       .zone = "America/New_York"},
      {.name = "hours over a change of clocks",
       .rule = "now + 24 hours = trait.hoursLater",
       .want = "true",
       .now = "2026-03-07T12:00:00",
       .zone = "America/New_York"},
      {.name = "before", .rule = "trait.seen before now", .want = "true"},
      {.name = "not before itself", .rule = "trait.local before now", .want = "false"},
      {.name = "no instant", .rule = "trait.bad before now", .want = "false"},
      {.name = "nor after", .rule = "trait.bad after now", .want = "false"},
      {.name = "within a window", .rule = "trait.since within this month", .want = "true"},
      {.name = "on its edge", .rule = "trait.since within last 10 days", .want = "true"},
      {.name = "behind its edge", .rule = "trait.since within last 9 days", .want = "false"},
      {.name = "an open end", .rule = "2026-12-31 within last 9 days", .want = "true"},
      {.name = "days since", .rule = "days_since(trait.since)", .want = "9"},
      {.name = "days since today", .rule = "days_since(trait.seen)", .want = "0"},
      {.name = "days since yesterday's last moment", .rule = "days_since(today - 1 second)", .want = "1"},
      {.name = "days since what is to come", .rule = "days_since(today + 2 days)", .want = "-2"},
      {.name = "days since no instant", .rule = "days_since(trait.bad)", .want = "unknown"},
      {.name = "a birthday on the last day",
       .rule = "trait.born birthday in the next 7 days",
       .want = "true"},
      {.name = "a birthday one day further",
       .rule = "trait.born birthday in the next 6 days",
       .want = "false"},
      {.name = "a birthday today",
       .rule = "trait.born birthday in the next 1 day",
       .want = "true",
       .now = "2026-03-17T23:59:59"},
      {.name = "a birthday yesterday",
       .rule = "trait.born birthday in the next 300 days",
       .want = "false",
       .now = "2026-03-18T00:00:00"},
      {.name = "a birthday in the next year",
       .rule = "trait.born birthday in the next 90 days",
       .want = "true",
       .now = "2026-12-31T12:00:00"},
      {.name = "29 February in a year without",
       .rule = "trait.leap birthday in the next 1 day",
       .want = "true",
       .now = "2026-02-28T12:00:00"},
      {.name = "and not on 1 March",
       .rule = "trait.leap birthday in the next 1 day",
       .want = "false",
       .now = "2026-03-01T12:00:00"},
      {.name = "29 February in a leap year",
       .rule = "trait.leap birthday in the next 1 day",
       .want = "true",
       .now = "2028-02-29T12:00:00"},
      {.name = "which is not on the 27th",
       .rule = "trait.leap birthday in the next 1 day",
       .want = "false",
       .now = "2028-02-27T12:00:00"},
      {.name = "an age", .rule = "age(trait.born)", .want = "35"},
      {.name = "the eve of a birthday",
       .rule = "age(trait.born)",
       .want = "35",
       .now = "2026-03-16T23:59:59.999"},
      {.name = "a birthday", .rule = "age(trait.born)", .want = "36", .now = "2026-03-17"},
      {.name = "29 February turns older on the 28th",
       .rule = "age(trait.leap)",
       .want = "26",
       .now = "2026-02-28"},
      {.name = "and not on the 27th", .rule = "age(trait.leap)", .want = "25", .now = "2026-02-27T23:00"},
      {.name = "in a leap year on the 29th",
       .rule = "age(trait.leap)",
       .want = "27",
       .now = "2028-02-28T23:00"},
      {.name = "on the day itself", .rule = "age(trait.leap)", .want = "28", .now = "2028-02-29"},
      {.name = "born today", .rule = "age(2026-03-10)", .want = "0"},
      {.name = "not born yet", .rule = "age(2026-03-11)", .want = "unknown"},
      {.name = "the age of no instant", .rule = "age(trait.bad)", .want = "unknown"},
      {.name = "no birthday", .rule = "trait.bad birthday in the next 300 days", .want = "false"},
  };
  for (Question question : questions) {
    question.traits = traits;
    EXPECT_EQ(answer(question), question.want) << question.name;
  }
}

// One event, and whether it is counted.
TEST(Expression, Where) {
  struct Case {
    std::string_view name;
    std::string_view condition;
    std::string_view event;
    bool want;
  };
  const Case cases[] = {
      {"equal texts", R"(category = "snacks")", R"(A {"category":"snacks"})", true},
      {"escapes", R"(category = "北京")", R"(A {"category":"\u5317\u4eac"})", true},
      {"an escaped key", R"(category = "x")", R"(A {"c\u0061tegory":"x"})", true},
      {"long texts are whole", R"(url contains "utm")",
       R"(A {"url":"https://example.com/a/very/long/path/that/goes/beyond/64/bytes?utm=1"})", true},
      {"a nested path", "cart.id = 7", R"(A {"cart":{"id":7}})", true},
      {"not a member of the same name", "id = 7", R"(A {"cart":{"id":7}})", false},
      {"a number", "price > 10", R"(A {"price":10.5})", true},
      {"a number as a text", "price > 10", R"(A {"price":"10.50"})", true},
      {"numbers compare by value", R"(price > 9)", R"(A {"price":"10"})", true},
      {"texts compare by code point", R"(price > "9")", R"(A {"price":"10"})", false},
      {"unequal", "price != 2", R"(A {"price":1})", true},
      {"not unequal", "price != 2", R"(A {"price":2.0})", false},
      {"less", "price < 2", R"(A {"price":1})", true},
      {"not less", "price < 2", R"(A {"price":2})", false},
      {"at most", "price <= 2", R"(A {"price":2})", true},
      {"not greater", "price > 2", R"(A {"price":2})", false},
      {"at least", "price >= 2", R"(A {"price":2})", true},
      {"not at least", "price >= 2", R"(A {"price":1.9999})", false},
      {"four places", "price = 0.3333", R"(A {"price":0.33333})", true},
      {"half away from zero", "price = -0.0001", R"(A {"price":-0.00005})", true},
      {"a text that is no number", "price > 10", R"(A {"price":"many"})", false},
      {"is not above either", "not (price > 10)", R"(A {"price":"many"})", true},
      {"missing", "price = 1", "A {}", false},
      {"missing is not unequal", "price != 1", "A {}", false},
      {"null is missing", "price is known", R"(A {"price":null})", false},
      {"an empty text is known", "category is known", R"(A {"category":""})", true},
      {"a list without []", "items is known", R"(A {"items":[1]})", false},
      {"any of a list", "items[].price > 5", R"(A {"items":[{"price":1},{"price":6}]})", true},
      {"none of a list", "items[].price > 5", R"(A {"items":[{"price":1},{"price":"x"},7]})", false},
      {"one unequal in a list", "items[].price != 1", R"(A {"items":[{"price":1},{"price":2}]})", true},
      {"not one unequal", "not (items[].price != 1)", R"(A {"items":[{"price":1},{"price":2}]})", false},
      {"one value is between", "items[].price between 2 and 3", R"(A {"items":[{"price":1},{"price":4}]})",
       false},
      {"an empty list", "items[].price is unknown", R"(A {"items":[]})", true},
      {"a list that is none", "items[].price is unknown", R"(A {"items":{"price":1}})", true},
      {"the values of a list", R"(items[] contains "b")", R"(A {"items":["a","abc"]})", true},
      {"two lists", "items[].a = items[].b", R"(A {"items":[{"a":1,"b":2},{"a":3,"b":1}]})", true},
      {"a sum over a list", "items[].price + 1 = 7", R"(A {"items":[{"price":1},{"price":6}]})", true},
      {"true", "paid", R"(A {"paid":true})", true},
      {"the text true", "paid", R"(A {"paid":"true"})", false},
      {"equal to true", "paid = true", R"(A {"paid":true})", true},
      {"the text is not equal to true", "paid = true", R"(A {"paid":"true"})", false},
      {"a boolean as a text", R"(paid = "false")", R"(A {"paid":false})", true},
      {"a channel", R"(channel = "web")", "A@web {}", true},
      {"no channel", R"(channel = "unknown")", "A {}", true},
      {"a source", R"(source = "crm")", "A#2 {}", true},
      {"another source", R"(source = "crm")", "A#1 {}", false},
      {"an hour", "hour = 9", "A {}", true},
      {"a weekday", "weekday = 2", "A {}", true},
      {"a holiday", R"(holiday = "春节")", "A {}", false},
      {"no holiday", R"(holiday is unknown and not (holiday != "春节"))", "A {}", true},
      {"a workday", "workday", "A {}", true},
      {"a band", R"(band(price, "low" below 10, else "high") = "high")", R"(A {"price":10})", true},
      {"a band of one in a list", R"(band(items[].price, 1 below 10, else 2) = 2)",
       R"(A {"items":[{"price":1},{"price":16}]})", true},
      {"no band of what is no number", R"(band(price, 1 below 10, else 2) is known)", R"(A {"price":"x"})",
       false},
      {"an instant of the event", "paid_at after 2026-03-01", R"(A {"paid_at":"2026-03-01T00:00:00.001"})",
       true},
      {"a date of the event", "paid_at after 2026-03-01", R"(A {"paid_at":"2026-03-01"})", false},
      {"and", R"(category = "a" and price = 1)", R"(A {"category":"a","price":1})", true},
      {"or", R"(category = "a" or price = 1)", R"(A {"category":"b","price":1})", true},
      {"two properties as texts", "price = cost", R"(A {"price":1,"cost":1.0})", false},
      {"a page is no track event", "true", "page:A {}", false},
      {"nor another name", "true", "B {}", false},
  };
  for (const Case& c : cases) {
    const std::string rule = cat("did(\"A\" where ", c.condition, ")");
    const std::string event = cat("2026-03-10T09:59:59.999 ", c.event);
    const Question question{.name = c.name, .rule = rule, .events = {event}, .want = ""};
    EXPECT_EQ(answer(question), c.want ? "true" : "false") << c.name << "\n" << rule;
  }
}

TEST(Expression, TheHolidayIsThatOfTheZone) {
  const std::string_view rule = R"(count("A" where holiday = "春节" and not workday))";
  const std::vector<std::string_view> events = {"2026-02-14T15:59:59.999Z A", "2026-02-14T16:00:00Z A",
                                                "2026-02-23T15:59:59.999Z A", "2026-02-23T16:00:00Z A"};
  expect_answers({
      {.name = "of China", .rule = rule, .events = events, .want = "2"},
      {.name = "of UTC", .rule = rule, .events = events, .want = "2", .zone = "UTC"},
      {.name = "of New York", .rule = rule, .events = events, .want = "2", .zone = "America/New_York"},
      {.name = "make-up days", .rule = R"(count("A" where workday))", .events = events, .want = "2"},
      {.name = "make-up days of UTC",
       .rule = R"(count("A" where workday))",
       .events = events,
       .want = "2",
       .zone = "UTC"},
  });
}

TEST(Expression, TheHourIsThatOfTheZone) {
  expect_answers({
      {.name = "before the change",
       .rule = R"(count("A" where hour = 1))",
       .events = {"2026-03-08T01:59:59.999 A"},
       .want = "1",
       .zone = "America/New_York"},
      {.name = "behind the change",
       .rule = R"(count("A" where hour = 3))",
       .events = {"2026-03-08T07:00:00Z A"},
       .want = "1",
       .zone = "America/New_York"},
      {.name = "an hour that comes twice",
       .rule = R"(count("A" where hour = 1))",
       .events = {"2025-11-02T05:30:00Z A", "2025-11-02T06:30:00Z A", "2025-11-02T07:00:00Z A"},
       .want = "2",
       .zone = "America/New_York"},
      {.name = "half an hour",
       .rule = R"(count("A" where hour = 1))",
       .events = {"2026-04-04T14:45:00Z A", "2026-04-04T15:15:00Z A", "2026-04-04T15:45:00Z A"},
       .want = "2",
       .now = "2026-04-06",
       .zone = "Australia/Lord_Howe"},
      {.name = "midnight ends the day",
       .rule = R"(count("A" where hour between 22 and 24))",
       .events = {"2026-03-09T22:00 A", "2026-03-09T23:59:59.999 A", "2026-03-10T00:00 A"},
       .want = "2"},
  });
}

}  // namespace
}  // namespace kehu::interpreter
