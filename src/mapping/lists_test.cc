#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "mapping/message.h"
#include "mapping/row_mapper.h"

// Values that are lists, and rows that are several events of one kind.
namespace kehu::mapping {
namespace {

constexpr const char* kOrder =
    R"({"u":"it-1","t":"2026-11-01T10:00:00Z","o":"I1","tags":["a","b"],"none":[],"one":["x"],"rate":2,)"
    R"("items":[{"sku":"a","price":100,"qty":2,"options":["r","g"]},{"sku":"b","price":"5","qty":1}],)"
    R"("holes":[{"sku":"a","price":1,"qty":2},{"price":5},{"sku":"c","qty":4}],"single":{"sku":"s"},)"
    R"("users":[{"id":"u1"},{"id":"u2"}],"same":[{"id":"u1"},{"id":"u1"}],"n":{"deep":[[1,2],[3]]}})";

constexpr const char* kEnd = R"(
[time]
column = "t"
[event]
name = "E"
)";

std::string mapped_row(const std::string& toml, const std::string& row_text) {
  const auto mapping = Mapping::parse(toml, "m.toml");
  if (!mapping.ok()) return message_of(mapping.status());
  const bool csv = mapping->file.format == rows::FileFormat::kCsv;
  auto reader = csv ? rows::read_csv(*mapping, rows::bytes_of(row_text), "t.csv")
                    : rows::read_ndjson(*mapping, rows::bytes_of(row_text + "\n"));
  if (!reader.ok()) return message_of(reader.status());
  RowMapper mapper(*mapping);
  rows::Row row;
  row.key = "f";
  MappedRow out;
  std::string all;
  while (*(*reader)->next(row)) {
    ++row.number;
    mapper.map(row, out);
    all.append(out.events);
    EXPECT_EQ(out.former_ids.size(), out.event_count);
    for (const RowRejection& r : out.rejections)
      all.append(cat(to_string(r.reason), " ", r.column, ": ", r.detail, "\n"));
    if (out.filtered()) all.append("filtered\n");
  }
  return all;
}

std::string with_value(const std::string& value) {
  return mapped_row(
      cat("[file]\nformat = \"ndjson\"\n[identifiers]\nuser_id = \"u\"\n[properties]\nx = ", value, kEnd),
      kOrder);
}

TEST(Lists, ValuesOfLists) {
  const struct {
    const char* value;
    const char* want;
  } cases[] = {
      {R"("items[].sku")", R"("x":["a","b"])"},
      {R"("tags[]")", R"("x":["a","b"])"},
      {R"("tags")", R"("x":["a","b"])"},
      {R"("items[0].sku")", R"("x":"a")"},
      {R"("items[1].sku")", R"("x":"b")"},
      {R"("items[-1].sku")", R"("x":"b")"},
      {R"("items[-2].sku")", R"("x":"a")"},
      {R"("items[].options[]")", R"("x":["r","g"])"},
      {R"("items[].options[0]")", R"("x":["r"])"},
      {R"("n.deep[][]")", R"("x":[1,2,3])"},
      {R"("n.deep[1][0]")", R"("x":3)"},
      {R"("none[]")", R"("x":[])"},
      {R"("holes[].sku")", R"("x":["a","c"])"},
      {R"("single[].sku")", R"("x":["s"])"},
      {R"({ multiply = ["items[].price", "items[].qty"] })", R"("x":205)"},
      {R"({ multiply = ["items[].price", "items[].qty", "rate"] })", R"("x":410)"},
      {R"({ multiply = ["holes[].price", "holes[].qty"] })", R"("x":2)"},
      {R"({ multiply = ["items[].price", "holes[].qty"] })",
       "invalid_field items[].price: the lists have different"},
      {R"({ multiply = ["items[].sku", "items[].qty"] })", "invalid_field items[].sku: a number is expected"},
      {R"({ sum = "items[].price" })", R"("x":105)"},
      {R"({ sum = ["items[].price", "rate"] })", R"("x":107)"},
      {R"({ sum = "items[].sku" })", "invalid_field items[].sku: a number"},
      {R"({ count = "items" })", R"("x":2)"},
      {R"({ count = "holes[].sku" })", R"("x":2)"},
      {R"({ count = "none" })", R"("x":0)"},
      {R"({ count = "o" })", R"("x":1)"},
      {R"({ first = "items[].sku" })", R"("x":"a")"},
      {R"({ last = "items[].sku" })", R"("x":"b")"},
      {R"({ first = "items[].price", type = "number" })", R"("x":100)"},
      {R"({ join = "items[].sku", separator = "," })", R"("x":"a,b")"},
      {R"({ join = ["o", "items[].sku"], separator = "-" })", R"("x":"I1-a-b")"},
      {R"({ column = "items[].price", type = "number" })", R"("x":[100,5])"},
      {R"({ column = "items[].price", type = "string" })", R"("x":["100","5"])"},
      {R"({ column = "items[].sku", prefix = "sku-" })", R"("x":["sku-a","sku-b"])"},
      {R"({ column = "items[].sku", values = { a = "A", b = "B" } })", R"("x":["A","B"])"},
      {R"({ column = "items[].sku", values = { a = "A" } })", "invalid_field items[].sku: the value is not"},
      {R"({ column = "items[].sku", values = { a = "A" }, otherwise = "-" })", R"("x":["A","-"])"},
      {R"({ column = "items[].sku", type = "number" })", "invalid_field items[].sku: a number"},
      {R"({ column = "tags", type = "string" })", R"("x":"[\"a\",\"b\"]")"},
  };
  for (const auto& c : cases) EXPECT_THAT(with_value(c.value), testing::HasSubstr(c.want)) << c.value;
  for (const char* nothing : {"items[7].sku", "items[-3].sku", "absent[].sku", "o[0]", "items.sku"}) {
    EXPECT_THAT(with_value(cat("\"", nothing, "\"")), testing::Not(testing::HasSubstr("properties")))
        << nothing;
  }
  for (const char* wrong : {"items[.sku", "items[a].sku", "items[]sku", "[].a", "a..b"}) {
    EXPECT_THAT(with_value(cat("\"", wrong, "\"")), testing::HasSubstr("path")) << wrong;
  }
}

std::string with_rows(const std::string& rows) {
  return mapped_row(
      cat("[file]\nformat = \"ndjson\"\n[rows]\n", rows, "\n[identifiers]\nuser_id = \"u\"", kEnd), kOrder);
}

TEST(Lists, AConditionHoldsForOneElement) {
  const struct {
    const char* test;
    bool kept;
  } cases[] = {
      {R"(column = "items[].sku", equals = "a")", true},
      {R"(column = "items[].sku", equals = "b")", true},
      {R"(column = "items[].sku", equals = "z")", false},
      {R"(column = "items[].sku", equals = "z", not = true)", true},
      {R"(column = "items[].sku", in = ["z", "b"])", true},
      {R"(column = "items[].sku", matches = "^a$")", true},
      {R"(column = "items[].price", above = 99)", true},
      {R"(column = "items[].price", below = 5)", false},
      {R"(column = "items[0].price", equals = 100)", true},
      {R"(column = "none[]", empty = true)", true},
      {R"(column = "tags", empty = true)", false},
      {R"(column = "absent[].x", empty = true)", true},
      {R"(sum = "items[].price", at_least = 105)", true},
      {R"(count = "items", above = 2)", false},
      {R"(multiply = ["items[].price", "items[].qty"], equals = 205)", true},
      {R"(first = "items[].sku", equals = "b")", false},
  };
  for (const auto& c : cases) {
    const std::string got = with_rows(cat("keep = { ", c.test, " }"));
    EXPECT_EQ(got != "filtered\n", c.kept) << c.test << ": " << got;
    EXPECT_THAT(got, testing::Not(testing::HasSubstr("m.toml"))) << c.test;
  }
  EXPECT_THAT(with_rows(R"(keep = { column = "items[].sku", above = 1 })"),
              testing::HasSubstr("invalid_field items[].sku"));
}

TEST(Lists, WhereOneValueIsExpectedSeveralRejectTheRow) {
  const auto row = [](const std::string& sections) {
    return mapped_row(cat("[file]\nformat = \"ndjson\"\n", sections), kOrder);
  };
  const std::string time = "[time]\ncolumn = \"t\"\n";
  EXPECT_THAT(
      row(cat("[identifiers]\nuser_id = \"users[].id\"", kEnd)),
      testing::HasSubstr("invalid_field users[].id: one value is expected, and the list has 2 different"));
  EXPECT_THAT(row(cat("[identifiers]\nuser_id = { first = \"users[].id\" }", kEnd)),
              testing::HasSubstr(R"("user_id":"u1")"));
  EXPECT_THAT(row(cat("[identifiers]\nuser_id = \"same[].id\"", kEnd)),
              testing::HasSubstr(R"("user_id":"u1")"));
  EXPECT_THAT(row(cat("[identifiers]\nuser_id = \"one\"", kEnd)), testing::HasSubstr(R"("user_id":"x")"));
  EXPECT_THAT(row(cat("[identifiers]\nuser_id = \"none\"", kEnd)), testing::HasSubstr("no_identifier"));
  EXPECT_THAT(row(cat("[identifiers]\nphone = { column = \"users[].id\", many = true }", kEnd)),
              testing::HasSubstr(R"("identifiers":{"phone":["u1","u2"]})"));
  EXPECT_THAT(row(cat("[identifiers]\nuser_id = \"u\"\n", time, "[event]\nname = { column = \"tags\" }\n")),
              testing::HasSubstr("invalid_field tags"));
  EXPECT_THAT(row(cat("[identifiers]\nuser_id = \"u\"\n", time,
                      "[event]\nname = \"E\"\nchannel = { column = \"tags\" }\n")),
              testing::HasSubstr("invalid_field tags"));
  EXPECT_THAT(row("[identifiers]\nuser_id = \"u\"\n[time]\ncolumn = \"tags\"\n[event]\nname = \"E\"\n"),
              testing::HasSubstr("invalid_field tags"));
}

// One event of each element, with an id of its own.
TEST(Lists, EachElementIsAnEvent) {
  const std::string toml = R"([file]
format = "ndjson"
[identifiers]
user_id = "u"
[time]
column = "t"
[event]
each = "items"
name = "Product Ordered"
[properties]
order_id = "o"
sku = "items[].sku"
again = "$item.sku"
amount = { multiply = ["items[].price", "items[].qty"] }
options = "items[].options"
number = "$item_number"
all = { count = "items" }
)";
  const std::string got = mapped_row(toml, kOrder);
  EXPECT_EQ(std::count(got.begin(), got.end(), '\n'), 2) << got;
  EXPECT_THAT(got,
              testing::ContainsRegex("\"message_id\":\"f:1~[0-9a-f]{6}/1\",\"properties\":\\{\"again\":\"a\","
                                     "\"all\":2,\"amount\":200,\"number\":1,\"options\":\\[\"r\",\"g\"\\],"
                                     "\"order_id\":\"I1\",\"sku\":\"a\"\\}"));
  EXPECT_THAT(got, testing::ContainsRegex(
                       "/2\",\"properties\":\\{\"again\":\"b\",\"all\":2,\"amount\":5,\"number\":2,"
                       "\"order_id\":\"I1\",\"sku\":\"b\"\\}"));
  EXPECT_EQ(mapped_row(toml, R"({"u":"1","t":"2026-11-01","items":[]})"), "filtered\n");
  EXPECT_EQ(mapped_row(toml, R"({"u":"1","t":"2026-11-01"})"), "filtered\n");
  EXPECT_THAT(mapped_row(toml, R"({"u":"1","t":"2026-11-01","items":{"sku":"only"}})"),
              testing::HasSubstr("only"));
}

TEST(Lists, ElementsHaveConditionsIdentifiersAndTimesOfTheirOwn) {
  const std::string got =
      mapped_row(R"([file]
format = "ndjson"
[rows]
each = "visits"
[identifiers]
user_id = "visits[].who"
[time]
column = "visits[].at"
[event]
name = "Visited"
when = { column = "visits[].minutes", above = 1 }
)",
                 R"({"visits":[{"who":"a","at":"2026-11-01","minutes":5},)"
                 R"({"who":"b","at":"2026-11-02","minutes":0},{"who":"c","at":"x","minutes":9}]})");
  EXPECT_THAT(got, testing::HasSubstr(R"("identifiers":{"user_id":"a"},"time":"2026-11-01T00:00:00.000Z")"));
  EXPECT_THAT(got, testing::Not(testing::HasSubstr("\"b\"")));
  EXPECT_THAT(got, testing::HasSubstr("invalid_time visits[].at"));
}

TEST(Lists, ARowMayNotBecomeTooManyEvents) {
  const std::string common =
      "[file]\n[identifiers]\nuser_id = \"u\"\n[time]\nconstant = \"2026-11-01\"\n[event]\nname = \"E\"\n"
      "each = { column = \"items\", split = \" \" }\n[properties]\n";
  const auto csv = [](size_t elements, const std::string& element) {
    std::string out = "u,items\n1," + element;
    for (size_t i = 1; i < elements; ++i) out.append(" ").append(element);
    return out + "\n";
  };
  const char* const refused =
      "invalid_field items: each: a row may have 10000 elements and become 64 MiB of events\n";
  const std::string most = mapped_row(common + "item = \"$item\"\n", csv(10'000, "7"));
  EXPECT_EQ(std::count(most.begin(), most.end(), '\n'), 10'000);
  EXPECT_EQ(mapped_row(common + "item = \"$item\"\n", csv(10'001, "7")), refused);
  EXPECT_EQ(mapped_row(common + "item = \"$item\"\nall = \"items\"\n", csv(5'000, "element-of-20-bytes")),
            refused);
}

TEST(Lists, ATextIsAListWhenItIsSplit) {
  const std::string common = "[file]\n[identifiers]\nuser_id = \"u\"\n[time]\nconstant = \"2026-11-01\"\n";
  const std::string csv = "u,items,prices\n1,12 7 9 7,1;2\n2,,\n3,5,\n";
  const std::string each = mapped_row(cat(common,
                                          "[event]\nname = \"Clicked\"\neach = { column = \"items\", split = "
                                          "\" \" }\n[properties]\nitem = \"$item\"\n"),
                                      csv);
  EXPECT_EQ(std::count(each.begin(), each.end(), '\n'), 6) << each;  // one row is filtered
  EXPECT_THAT(each, testing::HasSubstr("/4\",\"properties\":{\"item\":\"7\"}}"));
  const std::string list =
      mapped_row(cat(common,
                     "[event]\nname = \"E\"\n[properties]\nx = { column = \"items\", split = \" \", type = "
                     "\"number\" }\n",
                     "y = { sum = \"prices\", split = \";\" }\nz = { count = \"items\", split = \" \" }\n"),
                 csv);
  EXPECT_THAT(list, testing::HasSubstr("\"x\":[12,7,9,7],\"y\":3,\"z\":4"));
  EXPECT_THAT(mapped_row(cat(common, "[event]\nname = \"E\"\neach = \"items\"\n"), csv),
              testing::HasSubstr("invalid_field items: each: a list is expected"));
  EXPECT_THAT(mapped_row(cat(common,
                             "[rows]\nkeep = { column = \"items\", split = \" \", equals = \"9\" "
                             "}\n[event]\nname = \"E\"\n"),
                         csv),
              testing::HasSubstr("f:2~"));
}

// Of a message.
MappedRow mapped(const Mapping& mapping, std::string_view payload) {
  auto mapper = MessageMapper::make(mapping);
  EXPECT_TRUE(mapper.ok()) << mapper.status();
  MappedRow row;
  if (!mapper.ok()) return row;
  mapper->map({.topic = "orders",
               .stream = "orders/0",
               .position = 7,
               .key = "",
               .time = {},
               .payload = std::string(payload)},
              row);
  return row;
}

TEST(Lists, MessagesHaveTheSameReader) {
  const auto mapping = Mapping::parse(R"([kafka]
brokers = "b:9092"
topics = ["orders"]
[identifiers]
user_id = "u"
[time]
column = "t"
[[event]]
name = "Order Completed"
properties.skus = "items[].sku"
properties.revenue = { multiply = ["items[].price", "items[].qty"] }
[[event]]
name = "Line"
each = "items"
properties.sku = "items[].sku"
)",
                                      "k.toml");
  ASSERT_TRUE(mapping.ok()) << mapping.status();
  const MappedRow row = mapped(*mapping, kOrder);
  EXPECT_EQ(row.event_count, 3u);
  EXPECT_THAT(row.events, testing::HasSubstr(R"("properties":{"revenue":205,"skus":["a","b"]})"));
  EXPECT_THAT(row.events, testing::HasSubstr(R"("properties":{"sku":"b"})"));
}

// What a mapping takes over of JSON that stands on several lines is one line of what is sent.
TEST(Lists, AnEventIsOneLineHoweverItsRowIsSpread) {
  const char* spread =
      "{\n \"u\": 7,\r\n \"t\": \"2026-11-01\",\n \"o\": {\n  \"x\": 1\n },\n \"l\": [\n  {\n   \"a\": "
      "\"1\\n2\"\n  },\n  [\n  ]\n ]\n}";
  const auto mapping = Mapping::parse(R"([kafka]
brokers = "b:9092"
topics = ["orders"]
[identifiers]
user_id = { column = "u", many = true }
[time]
column = "t"
[event]
name = "E"
[properties]
object = "o"
list = "l"
of_each = "l[]"
first = { first = "l" }
text = { column = "o", type = "string" }
json = { column = "l", type = "json" }
[traits]
object = "o"
[context]
list = "l"
)",
                                      "k.toml");
  ASSERT_TRUE(mapping.ok()) << mapping.status();
  const MappedRow row = mapped(*mapping, spread);
  EXPECT_EQ(row.event_count, 1u);
  EXPECT_EQ(std::count(row.events.begin(), row.events.end(), '\n'), 1) << row.events;
  EXPECT_TRUE(row.events.ends_with("}\n"));
  EXPECT_THAT(row.events, testing::HasSubstr(R"("a": "1\n2")")) << "a text keeps its line ends";
}

TEST(Lists, MistakesOfTheMapping) {
  const struct {
    const char* toml;
    const char* want;
  } cases[] = {
      {"[properties]\nx = \"$item.sku\"\n", "is the element of a list: the event needs each"},
      {"[properties]\nx = { column = \"a\", sum = \"b\" }\n", "exactly one of"},
      {"[properties]\nx = { column = \"a\", split = \"\" }\n", "split: "},
      {"[properties]\nx = { lookup = \"products\", key = \"a\", column = \"b\" }\n",
       "there is no section [lookup.products]"},
  };
  for (const auto& c : cases) {
    EXPECT_THAT(mapped_row(cat("[file]\nformat = \"ndjson\"\n[identifiers]\nuser_id = \"u\"\n", c.toml, kEnd),
                           kOrder),
                testing::HasSubstr(c.want))
        << c.toml;
  }
}

}  // namespace
}  // namespace kehu::mapping
