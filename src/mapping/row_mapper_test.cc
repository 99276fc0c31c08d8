#include "mapping/row_mapper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_split.h"
#include "base/hash.h"
#include "base/text.h"
#include "mapping/file_import.h"

namespace kehu::mapping {
namespace {

using testing::ElementsAre;

constexpr const char* kCommon = R"(
[identifiers]
user_id = { column = "user", whole = true }
anonymous_id = "visitor"
[time]
column = "time"
zone = "Asia/Shanghai"
from = 2020-01-01
)";

// Maps one CSV text: a line per row with its events, its rejections as "reason column", or "filtered".
std::string mapped(const std::string& toml, const std::string& csv, Report* report = nullptr) {
  const auto mapping = Mapping::parse(toml, "m.toml");
  if (!mapping.ok()) return message_of(mapping.status());
  auto reader = rows::read_csv(*mapping, rows::bytes_of(csv), "t.csv");
  if (!reader.ok()) return message_of(reader.status());
  RowMapper mapper(*mapping);
  std::string out;
  rows::Row row;
  row.key = "t.csv@0";
  MappedRow result;
  while (*(*reader)->next(row)) {
    mapper.map(row, result);
    out.append(result.events);
    for (const RowRejection& r : result.rejections) out.append(cat(to_string(r.reason), " ", r.column, "\n"));
    if (result.filtered()) out.append("filtered\n");
    if (report != nullptr) ++report->rows;
  }
  return out;
}

TEST(RowMapper, WritesOneCanonicalLine) {
  EXPECT_EQ(mapped(std::string(R"([file]
[event]
name = "Order Line"
channel = "shop"
[properties]
amount = { multiply = ["qty", "price"] }
name = "name"
qty = { column = "qty", type = "number" }
vip = { column = "vip", type = "bool" }
extra = { column = "extra", type = "json" }
note = "note"
[traits]
city = { constant = "上海" }
[context]
row = { join = ["name", "qty"], separator = "/" }
)") + kCommon,
                   "user,visitor,time,qty,price,name,vip,extra,note\n"
                   "266079.0,,2020-02-03 10:00:00,-6,2.55,\"红 \"\"裙\"\"\",1,\"{\"\"a\"\":[1]}\",\n"),
            R"({"type":"track","event":"Order Line","identifiers":{"user_id":"266079"},)"
            R"("time":"2020-02-03T02:00:00.000Z","message_id":"t.csv@0:2~c264b4","channel":"shop",)"
            R"("properties":{"amount":-15.3,"extra":{"a":[1]},"name":"红 \"裙\"","qty":-6,"vip":true},)"
            R"("traits":{"city":"上海"},"context":{"row":"红 \"裙\"/-6"}})"
            "\n");
}

struct RowCase {
  const char* name;
  const char* event;  // the sections [event] and [properties]
  const char* row;
  const char* want;  // must be contained in what the row becomes
};

TEST(RowMapper, ValuesAndTheirFaults) {
  const RowCase cases[] = {
      {"names by table", "[event]\nname = { column = \"x\", values = { pv = \"Product Viewed\" } }",
       "1,,2020-02-03,pv", "\"event\":\"Product Viewed\""},
      {"not in the table", "[event]\nname = { column = \"x\", values = { pv = \"Product Viewed\" } }",
       "1,,2020-02-03,zz", "invalid_field x"},
      {"otherwise",
       "[event]\nname = { column = \"x\", values = { pv = \"Product Viewed\" }, otherwise = \"Other\" }",
       "1,,2020-02-03,zz", "\"event\":\"Other\""},
      {"name of a column", "[event]\nname = { column = \"x\" }", "1,,2020-02-03,Scrolled",
       "\"event\":\"Scrolled\""},
      {"no name", "[event]\nname = { column = \"x\" }", "1,,2020-02-03,", "missing_event_name "},
      {"first alternative",
       "[event]\nname = [{ constant = \"A\", when = { column = \"x\", matches = \"^C\" } }, \"B\"]",
       "1,,2020-02-03,C5", "\"event\":\"A\""},
      {"last alternative",
       "[event]\nname = [{ constant = \"A\", when = { column = \"x\", matches = \"^C\" } }, \"B\"]",
       "1,,2020-02-03,5C", "\"event\":\"B\""},
      {"page", "[event]\ntype = \"page\"\nname = { column = \"x\" }", "1,,2020-02-03,Home",
       "{\"type\":\"page\",\"name\":\"Home\","},
      {"identify without a name", "[event]\ntype = \"identify\"\n[traits]\nx = \"x\"", "1,,2020-02-03,5",
       "\"traits\":{\"x\":\"5\"}"},
      {"nobody", "[event]\nname = \"E\"\n[properties]\nx = \"x\"", ",,2020-02-03,1", "no_identifier "},
      {"second identifier", "[event]\nname = \"E\"\n[properties]\nx = \"x\"", ",v,2020-02-03,1",
       "\"identifiers\":{\"anonymous_id\":\"v\"}"},
      {"a member number is no number", "[event]\nname = \"E\"\n[properties]\nx = \"x\"", "V1.0,,2020-02-03,1",
       "\"user_id\":\"V1.0\""},
      {"no time", "[event]\nname = \"E\"\n[properties]\nx = \"x\"", "1,,,1", "invalid_time time"},
      {"bad time", "[event]\nname = \"E\"\n[properties]\nx = \"x\"", "1,,soon,1", "invalid_time time"},
      {"too early", "[event]\nname = \"E\"\n[properties]\nx = \"x\"", "1,,2019-12-31 23:59:59,1",
       "time_out_of_range time"},
      {"just in time", "[event]\nname = \"E\"\n[properties]\nx = \"x\"", "1,,2020-01-01 00:00:00,1",
       "2019-12-31T16:00:00.000Z"},
      {"bad number", "[event]\nname = \"E\"\n[properties]\nx = { column = \"x\", type = \"number\" }",
       "1,,2020-02-03,1o", "invalid_field x"},
      {"a number beyond a double",
       "[event]\nname = \"E\"\n[properties]\nx = { column = \"x\", type = \"number\" }",
       "1,,2020-02-03,-1e400", "invalid_field x"},
      {"a number close to nothing",
       "[event]\nname = \"E\"\n[properties]\nx = { column = \"x\", type = \"number\" }",
       "1,,2020-02-03,1e-400", "\"x\":1e-400"},
      {"JSON of several lines",
       "[event]\nname = \"E\"\n[properties]\nx = { column = \"x\", type = \"json\" }",
       "1,,2020-02-03,\"[1,\n2]\"", "\"x\":[1, 2]"},
      {"thousands",
       "[event]\nname = \"E\"\n[properties]\nx = { column = \"x\", type = \"number\", thousands = \",\" }",
       "1,,2020-02-03,\"1,234.50\"", "\"x\":1234.5"},
      {"bad bool", "[event]\nname = \"E\"\n[properties]\nx = { column = \"x\", type = \"bool\" }",
       "1,,2020-02-03,maybe", "invalid_field x"},
      {"bad JSON", "[event]\nname = \"E\"\n[properties]\nx = { column = \"x\", type = \"json\" }",
       "1,,2020-02-03,{", "invalid_field x"},
      {"required", "[event]\nname = \"E\"\n[properties]\nx = { column = \"x\", required = true }",
       "1,,2020-02-03,", "missing_column x"},
      {"product out of range", "[event]\nname = \"E\"\n[properties]\nx = { multiply = [\"x\", \"x\"] }",
       "1,,2020-02-03,99999999999", "amount_out_of_range x"},
      {"product of nothing", "[event]\nname = \"E\"\n[properties]\nx = { multiply = [\"x\", \"x\"] }",
       "1,,2020-02-03,", "\"message_id\":\"t.csv@0:2~fc2732\"}"},
      {"prefix", "[event]\nname = \"E\"\n[properties]\nx = { column = \"x\", prefix = \"sku-\" }",
       "1,,2020-02-03,7", "\"x\":\"sku-7\""},
      {"too many values", "[event]\nname = \"E\"\n[properties]\nx = \"x\"", "1,,2020-02-03,1,2",
       "unreadable_row "},
  };
  for (const auto& c : cases) {
    const std::string got =
        mapped(cat("[file]\n", c.event, kCommon), cat("user,visitor,time,x\n", c.row, "\n"));
    EXPECT_THAT(got, testing::HasSubstr(c.want)) << c.name;
  }
}

struct FilterCase {
  const char* rows;
  const char* value;
  bool kept;
};

TEST(RowMapper, Filters) {
  const FilterCase cases[] = {
      {"keep = { column = \"x\", equals = \"a\" }", "a", true},
      {"keep = { column = \"x\", equals = \"a\" }", "b", false},
      {"keep = { column = \"x\", equals = 3 }", "3", true},
      {"keep = { column = \"x\", equals = \"a\", not = true }", "b", true},
      {"keep = { column = \"x\", in = [\"a\", \"b\"] }", "b", true},
      {"keep = { column = \"x\", in = [\"a\", \"b\"] }", "c", false},
      {"keep = { column = \"x\", empty = true }", "", true},
      {"keep = { column = \"x\", empty = true }", "a", false},
      {"keep = { column = \"x\", empty = false }", "a", true},
      {"keep = { column = \"x\", empty = false }", "", false},
      {"keep = { column = \"x\", empty = false, not = true }", "", true},
      {"keep = { column = \"x\", above = 0 }", "0", false},
      {"keep = { column = \"x\", above = 0 }", "0.01", true},
      {"keep = { column = \"x\", at_least = 0 }", "0", true},
      {"keep = { column = \"x\", below = -1 }", "-1.5", true},
      {"keep = { column = \"x\", at_most = -1 }", "-1", true},
      {"keep = { column = \"x\", matches = \"^C\\\\d+$\" }", "C12", true},
      {"keep = { column = \"x\", matches = \"^C\\\\d+$\" }", "xC12", false},
      {"skip = { column = \"x\", equals = \"a\" }", "a", false},
      {"skip = [{ column = \"x\", equals = \"a\" }, { column = \"x\", equals = \"b\" }]", "b", false},
      {"skip = [{ column = \"x\", equals = \"a\" }, { column = \"x\", equals = \"b\" }]", "c", true},
      {"keep = [{ column = \"x\", above = 1 }, { column = \"x\", below = 3 }]", "2", true},
      {"keep = [{ column = \"x\", above = 1 }, { column = \"x\", below = 3 }]", "3", false},
  };
  for (const auto& c : cases) {
    const std::string got = mapped(cat("[file]\n[event]\nname = \"E\"\n[rows]\n", c.rows, "\n", kCommon),
                                   cat("user,visitor,time,x\n1,,2020-02-03,", c.value, "\n"));
    EXPECT_EQ(got != "filtered\n", c.kept) << c.rows << " of " << c.value << ": " << got;
  }
}

// Every spelling that a property reads, a condition reads as the same number.
TEST(RowMapper, ConditionsReadWhatPropertiesRead) {
  struct Spelling {
    const char* cell;
    const char* reading;  // how the property and the condition read it
    const char* number;
  };
  const Spelling spellings[] = {
      {"\"1,299.00\"", "thousands = \",\"", "1299"},
      {"\"1,299.00\"", "type = \"number\"", "1299"},
      {" 50.00 ", "type = \"number\"", "50"},
      {"¥99", "type = \"number\"", "99"},
      {"99元", "type = \"number\"", "99"},
      {"１２９９", "type = \"number\"", "1299"},
      {"\"-1,500.00\"", "type = \"number\"", "-1500"},
      {"1.500", "thousands = \".\"", "1500"},
      {"1e3", "whole = true", "1000"},
      {"0.30000000000000004", "type = \"number\"", "0.30000000000000004"},
  };
  for (const Spelling& s : spellings) {
    const auto holds = [&](const std::string& test) {
      const std::string got = mapped(
          cat("[file]\n[event]\nname = \"E\"\n[rows]\nkeep = { column = \"x\", ", s.reading, ", ", test,
              " }\n", "[properties]\nx = { column = \"x\", type = \"number\"",
              std::string_view(s.reading).starts_with("th") ? cat(", ", s.reading) : "", " }\n", kCommon),
          cat("user,visitor,time,x\n1,,2020-02-03,", s.cell, "\n"));
      EXPECT_EQ(got.find("invalid"), got.npos) << got;
      return got != "filtered\n";
    };
    EXPECT_TRUE(holds(cat("equals = ", s.number))) << s.cell;
    EXPECT_TRUE(holds(cat("at_least = ", s.number))) << s.cell;
    EXPECT_TRUE(holds(cat("at_most = ", s.number))) << s.cell;
    EXPECT_FALSE(holds(cat("above = ", s.number))) << s.cell;
    EXPECT_FALSE(holds(cat("below = ", s.number))) << s.cell;
    EXPECT_TRUE(holds("above = -1000000")) << s.cell;
    EXPECT_TRUE(holds("below = 1000000")) << s.cell;
  }
}

TEST(RowMapper, AnUnreadableNumberInAConditionRejectsTheRow) {
  for (const char* where : {"[rows]\nkeep", "[rows]\nskip", "[event]\nname = \"E\"\nwhen"}) {
    for (const char* test : {"above", "at_least", "below", "at_most"}) {
      for (const char* cell : {"many", "\"1,2,3\"", "true", "2020-02-03"}) {
        const bool of_event = std::string_view(where).starts_with("[event]");
        const std::string got = mapped(cat("[file]\n", where, " = { column = \"x\", ", test, " = 1 }\n",
                                           of_event ? "" : "[event]\nname = \"E\"\n", kCommon),
                                       cat("user,visitor,time,x\n1,,2020-02-03,", cell, "\n"));
        EXPECT_EQ(got, "invalid_field x\n") << where << " " << test << " " << cell;
      }
    }
  }
  // An empty cell is no number, and no mistake.
  EXPECT_EQ(
      mapped(cat("[file]\n[rows]\nkeep = { column = \"x\", above = 1 }\n[event]\nname = \"E\"\n", kCommon),
             "user,visitor,time,x\n1,,2020-02-03,\n"),
      "filtered\n");
}

std::string ids_of(const std::string& sections, const std::string& csv) {
  const std::string got = mapped(cat("[file]\n", sections, kCommon), csv);
  std::string ids;
  for (size_t at = 0; (at = got.find("\"message_id\":\"", at)) != std::string::npos;) {
    at += 14;
    ids.append(got, at, got.find('"', at) - at).push_back(' ');
  }
  return ids;
}

// Two mappings over the same rows are two events, whatever makes a row the same row.
TEST(RowMapper, AnIdIsThatOfTheKindOfEvent) {
  const std::string csv = "user,visitor,time,kind\n1,a,2020-02-03,Order Refunded\n";
  for (const char* identity : {"\"position\"", "\"content\"", "[\"user\"]"}) {
    const std::string rows = cat("[rows]\nidentity = ", identity, "\n");
    const std::string done = ids_of(cat(rows, "[event]\nname = \"Order Completed\"\n"), csv);
    const std::string refunded = ids_of(cat(rows, "[event]\nname = \"Order Refunded\"\n"), csv);
    const std::string page = ids_of(cat(rows, "[event]\ntype = \"page\"\nname = \"Order Refunded\"\n"), csv);
    const std::string identify = ids_of(cat(rows, "[event]\ntype = \"identify\"\n"), csv);
    EXPECT_NE(done, refunded);
    EXPECT_NE(refunded, page);
    EXPECT_NE(page, identify);
    // What the event says beside its kind does not matter, nor where its name comes from.
    EXPECT_EQ(
        done,
        ids_of(
            cat(rows,
                "[event]\nname = \"Order Completed\"\nchannel = \"shop\"\n[properties]\nv = \"visitor\"\n"),
            csv));
    EXPECT_EQ(refunded, ids_of(cat(rows, "[event]\nname = { column = \"kind\" }\n"), csv));
  }
  EXPECT_EQ(mapped(cat("[file]\n[rows]\nidentity = [\"visitor\"]\n[event]\nname = \"E\"\n", kCommon),
                   "user,visitor,time\n1,,2020-02-03\n"),
            "missing_column visitor\n");
}

// However JSON is spelt, it is the same row.
TEST(RowMapper, TheContentOfJsonIsWhatItSays) {
  const auto mapping = Mapping::parse(
      cat("[file]\nformat = \"ndjson\"\n[rows]\nidentity = \"content\"\n[event]\nname = \"A\"\n", kCommon),
      "m.toml");
  ASSERT_TRUE(mapping.ok()) << mapping.status();
  RowMapper mapper(*mapping);
  const auto map = [&](const char* text) {
    auto reader = rows::read_ndjson(*mapping, rows::bytes_of(cat(text, "\n")));
    rows::Row row;
    MappedRow out;
    EXPECT_TRUE(*(*reader)->next(row));
    mapper.map(row, out);
    const size_t at = out.events.find("row-");
    return std::pair(out.events.substr(at, out.events.find('"', at) - at), out.former_ids.front());
  };
  const char* text = R"({"user":1,"time":"2026-11-01"})";
  const auto [id, former] = map(text);
  EXPECT_EQ(map(R"({ "time": "2026-11-01", "user": 1 })").first, id);
  EXPECT_NE(map(R"({"user":2,"time":"2026-11-01"})").first, id);
  const std::string bytes = cat("row-", hash128(text).hex());
  EXPECT_THAT(former, ElementsAre(bytes, cat(bytes, id.substr(id.find('~'))))) << "as earlier versions did";
}

// [[event]] that come before it, or are taken away, leave an event its id.
TEST(RowMapper, AnEventIsNumberedAmongThoseOfItsKind) {
  const std::string csv = "user,visitor,time,kind\n1,a,2020-02-03,A\n";
  const auto ids = [&](const std::string& events) {
    const std::string all = ids_of(cat("[rows]\nidentity = [\"user\"]\n", events), csv);
    std::vector<std::string> out = absl::StrSplit(all, ' ', absl::SkipEmpty());
    return out;
  };
  const std::string a = "[[event]]\nname = \"A\"\n", c = "[[event]]\nname = \"C\"\n";
  const std::string by_column = "[[event]]\nname = { column = \"kind\" }\n";
  const std::string unwanted = cat(a, "when = { column = \"user\", equals = \"9\" }\n");
  const std::string id = ids("[event]\nname = \"A\"\n").at(0);
  EXPECT_THAT(id, testing::StartsWith("row:1~"));
  EXPECT_THAT(ids(cat(c, a)), ElementsAre(testing::_, id));
  EXPECT_THAT(ids(cat(a, c)), ElementsAre(id, testing::_));
  EXPECT_THAT(ids(cat(a, c, a)), ElementsAre(id, testing::_, id + "#1"));
  EXPECT_THAT(ids(cat(a, by_column)), ElementsAre(id, id + "#1"));
  EXPECT_THAT(ids(cat(by_column, c)), ElementsAre(id, testing::_));
  EXPECT_THAT(ids(cat(unwanted, a)), ElementsAre(id + "#1")) << "whether or not the first one is wanted";
}

// Elements of two lists may make events of one kind: each [[event]] has ids of its own.
TEST(RowMapper, EventsOfTwoListsHaveIdsOfTheirOwn) {
  const std::string lists = R"(
[[event]]
each = { column = "kind", split = " " }
name = { column = "$item" }
[[event]]
each = { column = "more", split = " " }
name = { column = "$item" }
)";
  const std::string all = ids_of(lists, "user,visitor,time,kind,more\n1,a,2020-02-03,A,A\n");
  EXPECT_THAT(all, testing::MatchesRegex("(t.csv@0:2~[0-9a-f]*)/1 t.csv@0:2~[0-9a-f]*#1/1 "));
}

TEST(RowMapper, EarlierVersionsIdsAreTold) {
  const auto mapping =
      Mapping::parse(cat("[file]\n[[event]]\nname = \"A\"\n[[event]]\nname = \"B\"\n", kCommon), "m.toml");
  ASSERT_TRUE(mapping.ok()) << mapping.status();
  auto reader = rows::read_csv(*mapping, rows::bytes_of("user,visitor,time\n1,,2020-02-03\n"), "t.csv");
  RowMapper mapper(*mapping);
  rows::Row row;
  MappedRow out;
  row.key = "t.csv@1";
  ASSERT_TRUE(*(*reader)->next(row));
  mapper.map(row, out);
  EXPECT_THAT(out.former_ids,
              ElementsAre(ElementsAre("t.csv@1:2"), ElementsAre("t.csv@1:2#1", "t.csv@1:2~43488e#1")));
  row.former_key = "t.csv@0";
  mapper.map(row, out);
  EXPECT_THAT(out.former_ids, ElementsAre(ElementsAre("t.csv@0:2", "t.csv@0:2~d7ead2"),
                                          ElementsAre("t.csv@0:2#1", "t.csv@0:2~43488e")));
}

struct TimeCase {
  const char* time;
  const char* want;
};

TEST(RowMapper, ATimeNeedsNoColumn) {
  const TimeCase cases[] = {
      {"constant = \"2026-11-01\"\nzone = \"Asia/Shanghai\"", "\"time\":\"2026-10-31T16:00:00.000Z\""},
      {"constant = 2026-11-01", "\"time\":\"2026-11-01T00:00:00.000Z\""},
      {"constant = 2026-11-01T10:00:00+08:00", "\"time\":\"2026-11-01T02:00:00.000Z\""},
      {"file = \"modified\"", "\"time\":\"2026-11-22T00:50:00.000Z\""},
      {"file = \"%Y%m%d\"", "\"time\":\"2026-10-02T00:00:00.000Z\""},
      {"file = \"%Y%m%d\"\nzone = \"Asia/Shanghai\"", "\"time\":\"2026-10-01T16:00:00.000Z\""},
      {"now = true", "\"identifiers\":{\"user_id\":\"1\"},\"message_id\""},
      {"constant = \"soon\"", "[time] constant: a date or time"},
      {"now = false", "[time] now: only true"},
      {"file = \"yesterday\"", "[time] file: \"modified\", or the form"},
      {"file = \"modified\"\ncolumn = \"u\"", "exactly one of"},
      {"zone = \"UTC\"", "exactly one of"},
      {"constant = \"2019-12-31\"\nfrom = 2020-01-01", "time_out_of_range"},
  };
  for (const auto& c : cases) {
    const auto mapping = Mapping::parse(
        cat("[file]\n[identifiers]\nuser_id = \"u\"\n[event]\ntype = \"identify\"\n[time]\n", c.time, "\n"),
        "m.toml");
    if (!mapping.ok()) {
      EXPECT_THAT(message_of(mapping.status()), testing::HasSubstr(c.want)) << c.time;
      continue;
    }
    auto reader = rows::read_csv(*mapping, rows::bytes_of("u\n1\n"), "t.csv");
    RowMapper mapper(*mapping);
    ASSERT_TRUE(mapper.set_file("/in/customers_20261002.csv", Instant::from_seconds(1'795'308'600)).ok());
    rows::Row row;
    MappedRow out;
    ASSERT_TRUE(*(*reader)->next(row));
    mapper.map(row, out);
    for (const auto& r : out.rejections) out.events.append(to_string(r.reason));
    EXPECT_THAT(out.events, testing::HasSubstr(c.want)) << c.time;
  }
}

TEST(RowMapper, AFileWithoutTheDateThatTheMappingLooksForIsRefused) {
  const auto mapping = Mapping::parse(
      "[file]\n[identifiers]\nuser_id = \"u\"\n[event]\nname = \"E\"\n[time]\nfile = \"%Y%m%d\"\n", "m.toml");
  ASSERT_TRUE(mapping.ok());
  const absl::Status status = RowMapper(*mapping).set_file("/in/customers.csv", {});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(message_of(status), testing::HasSubstr("%Y%m%d"));
}

// A list of customers that is saved again tells of them again; an order does not happen again.
TEST(RowMapper, WhatALaterFileTellsOfACustomerIsNew) {
  const auto id = [](const char* event, const char* path) {
    const auto mapping =
        Mapping::parse(cat("[file]\n[identifiers]\nuser_id = \"u\"\n[rows]\nidentity = [\"u\"]\n", event,
                           "[time]\nfile = \"%Y%m%d\"\n"),
                       "m.toml");
    auto reader = rows::read_csv(*mapping, rows::bytes_of("u\n1\n"), "t.csv");
    RowMapper mapper(*mapping);
    EXPECT_TRUE(mapper.set_file(path, {}).ok());
    rows::Row row;
    MappedRow out;
    EXPECT_TRUE(*(*reader)->next(row));
    mapper.map(row, out);
    return out.events.substr(out.events.find("message_id"));
  };
  EXPECT_NE(id("[event]\ntype = \"identify\"\n", "c20261001"),
            id("[event]\ntype = \"identify\"\n", "c20261101"));
  EXPECT_EQ(id("[event]\ntype = \"identify\"\n", "c20261001"),
            id("[event]\ntype = \"identify\"\n", "c20261001"));
  EXPECT_EQ(id("[event]\nname = \"E\"\n", "c20261001"), id("[event]\nname = \"E\"\n", "c20261101"));
}

TEST(RowMapper, TheRowsNumberIsAColumn) {
  const auto mapping = Mapping::parse(R"([file]
[rows]
number = "row"
skip = { column = "row", at_most = 1 }
[identifiers]
anonymous_id = { column = "row", prefix = "visitor-" }
[time]
column = "t"
[event]
name = "E"
[properties]
n = "row"
)",
                                      "m.toml");
  ASSERT_TRUE(mapping.ok()) << mapping.status();
  EXPECT_THAT(mapping->columns, testing::ElementsAre("t"));
  RowMapper mapper(*mapping);
  rows::Row row;
  MappedRow out;
  row.cells = {{rows::CellKind::kText, "2026-11-01"}};
  row.number = 1;
  mapper.map(row, out);
  EXPECT_TRUE(out.filtered());
  row.number = 17;
  mapper.map(row, out);
  EXPECT_THAT(out.events, testing::HasSubstr(R"("identifiers":{"anonymous_id":"visitor-17"})"));
  EXPECT_THAT(out.events, testing::HasSubstr(R"("properties":{"n":17})"));
}

// However a file spells a number, it is one identifier, one key, one name.
TEST(RowMapper, NumbersThatAreIdentifiersHaveOneSpelling) {
  const auto mapping = Mapping::parse(R"([file]
format = "ndjson"
[rows]
identity = ["u"]
keep = { column = "u", equals = "2001" }
[identifiers]
user_id = "u"
anonymous_id = { column = "u", prefix = "u-" }
[time]
column = "t"
[event]
name = { column = "u", values = { 2001 = "E" } }
[properties]
joined = { join = ["u", "p"], separator = "/" }
)",
                                      "m.toml");
  ASSERT_TRUE(mapping.ok()) << mapping.status();
  for (const char* spelling : {"2001", "2001.0", "2001.00", "2.001e3", "\"2001\""}) {
    auto reader = rows::read_ndjson(
        *mapping, rows::bytes_of(cat("{\"u\":", spelling, ",\"p\":13911112222.0,\"t\":\"2026-11-01\"}\n")));
    RowMapper mapper(*mapping);
    rows::Row row;
    MappedRow out;
    ASSERT_TRUE(*(*reader)->next(row));
    mapper.map(row, out);
    ASSERT_EQ(out.event_count, 1u) << spelling;
    EXPECT_THAT(out.events, testing::HasSubstr("\"anonymous_id\":\"u-2001\"")) << spelling;
    EXPECT_THAT(out.events, testing::HasSubstr(cat("\"user_id\":", spelling))) << "the door reads numbers";
    EXPECT_THAT(out.events, testing::HasSubstr("\"row:2001~")) << spelling;
    EXPECT_THAT(out.events, testing::HasSubstr("\"joined\":\"2001/13911112222\"")) << spelling;
  }
}

// An object is nobody's id. Its text would be one.
TEST(RowMapper, AnObjectGoesToTheDoorAsAnObject) {
  struct Case {
    const char* given;
    const char* want;
  };
  const Case cases[] = {
      {R"({"$oid":"65f"})", R"("identifiers":{"user_id":{"$oid":"65f"}})"},
      {R"([{"id":1}])", R"("identifiers":{"user_id":{"id":1}})"},
      {R"([[1]])", R"("identifiers":{"user_id":[1]})"},
      {R"(true)", R"("identifiers":{"user_id":true})"},
      {R"("{\"a\":1}")", R"("identifiers":{"user_id":"{\"a\":1}"})"},
  };
  const std::string sections = "[time]\nconstant = 2026-11-01\n[event]\nname = \"E\"\n[identifiers]\n";
  const std::string file = "[file]\nformat = \"ndjson\"\n";
  const auto told = [&](const std::string& identifiers, const char* value) {
    const auto mapping = Mapping::parse(cat(file, sections, identifiers), "m.toml");
    auto reader = rows::read_ndjson(*mapping, rows::bytes_of(cat("{\"u\":", value, "}\n")));
    rows::Row row;
    MappedRow out;
    EXPECT_TRUE(*(*reader)->next(row));
    RowMapper(*mapping).map(row, out);
    for (const RowRejection& r : out.rejections) out.events.append(cat(to_string(r.reason), " ", r.column));
    return out.events;
  };
  for (const Case& c : cases)
    EXPECT_THAT(told("user_id = \"u\"\n", c.given), testing::HasSubstr(c.want)) << c.given;
  EXPECT_EQ(told("user_id = { column = \"u\", prefix = \"x-\" }\n", R"({"id":1})"), "invalid_field u");
  EXPECT_THAT(told("user_id = \"u.$oid\"\n", cases[0].given), testing::HasSubstr("\"user_id\":\"65f\""));
}

TEST(RowMapper, ARowCanBeSeveralEvents) {
  const std::string toml = std::string(R"([file]
[[event]]
name = "Order Placed"
[[event]]
name = "Order Refunded"
when = { column = "refund", above = 0 }
properties.total = { column = "refund", type = "number" }
[[event]]
type = "identify"
when = { column = "refund", above = 100 }
)") + kCommon;
  const std::string got =
      mapped(toml, "user,visitor,time,refund\n1,,2020-02-03,0\n2,,2020-02-03,5\n3,,2020-02-03,500\n");
  EXPECT_EQ(std::count(got.begin(), got.end(), '\n'), 6);
  EXPECT_THAT(got, testing::HasSubstr(R"("message_id":"t.csv@0:3~5838a8"})"));
  EXPECT_THAT(got, testing::HasSubstr(R"("message_id":"t.csv@0:3~f1396a","properties":{"total":5}})"));
  EXPECT_THAT(got, testing::ContainsRegex("\"message_id\":\"t.csv@0:4~[0-9a-f]{6}\"}"));
}

std::string ids_with(const char* identity, const char* csv) {
  const std::string got =
      mapped(cat("[file]\n[event]\nname = \"E\"\n[rows]\nidentity = ", identity, "\n", kCommon), csv);
  std::string ids;
  for (size_t at = 0; (at = got.find("\"message_id\":\"", at)) != std::string::npos;) {
    at += 14;
    ids.append(got, at, got.find('"', at) - at).push_back(' ');
  }
  return ids;
}

TEST(RowMapper, WhatMakesARowTheSameRow) {
  const char* csv = "user,visitor,time\n1,a,2020-02-03\n1,a,2020-02-03\n2,a,2020-02-03\n";
  EXPECT_EQ(ids_with("\"position\"", csv), "t.csv@0:2~fc2732 t.csv@0:3~fc2732 t.csv@0:4~fc2732 ");
  EXPECT_EQ(ids_with("[\"user\", \"visitor\"]", csv), "row:1|a~fc2732 row:1|a~fc2732 row:2|a~fc2732 ");
  const std::string content = ids_with("\"content\"", csv);
  EXPECT_EQ(content.substr(0, 44), content.substr(44, 44));
  EXPECT_NE(content.substr(0, 44), content.substr(88, 44));
  const std::string lengthy =
      ids_with("[\"visitor\"]", ("user,visitor,time\n1," + std::string(300, 'v') + ",2020-02-03\n").c_str());
  EXPECT_EQ(lengthy.size(), 44u) << lengthy;
  EXPECT_EQ(ids_with("[\"user\", \"visitor\"]", "user,visitor,time\n1|2,3,2020-02-03\n1,2|3,2020-02-03\n"),
            "row:1\\\\|2|3~fc2732 row:1|2\\\\|3~fc2732 ");
}

TEST(FileKey, TellsFilesOfOneNameApartAndKnowsAPackedOneAgain) {
  EXPECT_EQ(file_key("/a/orders.csv", "x"), file_key("/b/orders.csv.gz", "x"));
  EXPECT_NE(file_key("/a/orders.csv", "x"), file_key("/b/orders.csv", "y"));
  EXPECT_EQ(stored_name("/13912345678/orders.csv"), "orders.csv");
  EXPECT_THAT(file_key(stored_name("/a/王五13812345678.csv.gz"), "x"),
              testing::MatchesRegex("王五phone-[0-9a-f]*.csv@[0-9a-f]*"));
  EXPECT_LE(file_key(std::string(500, 'n'), "x").size(), 64u);
  EXPECT_TRUE(file_key("订单订单订单订单订单订单订单订单订单.csv", "x").starts_with("订"));
}

TEST(Pretty, IndentsAndLeavesTextsAlone) {
  EXPECT_EQ(pretty(R"({"a":1,"b":{},"c":[],"d":[1,{"e":"x,{\"}:"}]})"
                   "\n"),
            "{\n  \"a\": 1,\n  \"b\": {},\n  \"c\": [],\n  \"d\": [\n    1,\n    {\n      \"e\": "
            "\"x,{\\\"}:\"\n    }\n  ]\n}");
}

// The text between the marks of a code block of docs/import.md.
std::string documented(const std::string& language) {
  std::ifstream file(std::filesystem::path(KEHU_SOURCE_DIR) / "docs/import.md");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const size_t begin = text.find("```" + language + "\n") + language.size() + 4;
  return text.substr(begin, text.find("```", begin) - begin);
}

TEST(Documentation, TheExampleOfTheGuideIsTrue) {
  const auto mapping = Mapping::parse(documented("toml"), "orders.toml");
  ASSERT_TRUE(mapping.ok()) << mapping.status();
  auto reader = rows::read_csv(*mapping, rows::bytes_of(documented("csv")), "orders.csv");
  ASSERT_TRUE(reader.ok()) << reader.status();
  RowMapper mapper(*mapping);
  rows::Row row;
  row.key = "orders.csv@example";
  MappedRow first, second, third;
  ASSERT_TRUE(*(*reader)->next(row));
  mapper.map(row, first);
  EXPECT_EQ(pretty(first.events) + "\n", documented("json"));
  ASSERT_TRUE(*(*reader)->next(row));
  mapper.map(row, second);
  EXPECT_THAT(second.events, testing::HasSubstr("Order Cancelled"));
  ASSERT_TRUE(*(*reader)->next(row));
  mapper.map(row, third);
  EXPECT_TRUE(third.filtered());
}

struct LookupCase {
  const char* value;
  const char* want;
};

TEST(Lookup, GivesValuesOfASecondFile) {
  const auto directory = std::filesystem::temp_directory_path() / cat("kehu-lookup-test-", ::getpid());
  std::filesystem::create_directories(directory);
  const auto put = [&](const char* name, const std::string& text) {
    std::ofstream(directory / name) << text;
  };
  put("products.csv", "sku;category;price\nA;tea;10\nB;;20\n7;cups;\nA;tea;10\n");
  put("twice.csv", "sku,category\nA,tea\nA,cups\n");
  const auto mapped_with = [&](const std::string& lookup, const std::string& value) {
    put("m.toml",
        cat("[file]\nformat = \"ndjson\"\n[lookup.products]\n", lookup,
            "\n[identifiers]\nuser_id = \"u\"\n[time]\nconstant = 2026-11-01\n[event]\nname = \"E\"\n"
            "[properties]\nx = ",
            value, "\n"));
    const auto mapping = Mapping::load(directory / "m.toml");
    if (!mapping.ok()) return message_of(mapping.status());
    auto reader = rows::read_ndjson(
        *mapping,
        rows::bytes_of("{\"u\":1,\"s\":\"A\",\"b\":\"B\",\"n\":7.0,\"z\":\"Z\",\"l\":[\"A\",\"Z\",7]}\n"));
    RowMapper mapper(*mapping);
    rows::Row row;
    MappedRow out;
    EXPECT_TRUE(*(*reader)->next(row));
    mapper.map(row, out);
    for (const auto& r : out.rejections) out.events.append(cat(to_string(r.reason), " ", r.column));
    return out.events;
  };
  const std::string file = "file = \"products.csv\"\ndelimiter = \";\"\nkey = \"sku\"";
  const LookupCase cases[] = {
      {R"({ lookup = "products", key = "s", column = "category" })", R"("x":"tea")"},
      {R"({ lookup = "products", key = "n", column = "category" })", R"("x":"cups")"},
      {R"({ lookup = "products", key = "s", column = "price", type = "number" })", R"("x":10)"},
      {R"({ lookup = "products", key = "l", column = "category" })", R"("x":["tea","cups"])"},
      {R"({ lookup = "products", key = "l[0]", column = "category" })", R"("x":"tea")"},
      {R"({ lookup = "products", key = "z", column = "category" })", "~"},
      {R"({ lookup = "products", key = "b", column = "category", otherwise = "none" })", R"("x":"none")"},
      {R"({ lookup = "products", key = "z", column = "category", otherwise = "none" })", R"("x":"none")"},
      {R"({ lookup = "products", key = "z", column = "category", required = true })", "missing_column z"},
      {R"({ lookup = "products", key = "s", column = "categry" })", "did you mean \"category\"?"},
      {R"({ lookup = "product", key = "s", column = "category" })", "did you mean \"products\"?"},
      {R"({ lookup = "products", column = "category" })", "a look-up needs the \"key\""},
  };
  for (const auto& c : cases) EXPECT_THAT(mapped_with(file, c.value), testing::HasSubstr(c.want)) << c.value;
  EXPECT_THAT(mapped_with(file, cases[5].value), testing::Not(testing::HasSubstr("properties")));
  EXPECT_THAT(mapped_with("file = \"twice.csv\"\nkey = \"sku\"", cases[0].value),
              testing::HasSubstr("stands here again with other values"));
  EXPECT_THAT(mapped_with("file = \"absent.csv\"\nkey = \"sku\"", cases[0].value),
              testing::HasSubstr("absent.csv"));
  EXPECT_THAT(mapped_with("file = \"products.csv\"", cases[0].value),
              testing::HasSubstr("\"key\" is missing"));
  std::filesystem::remove_all(directory);
}

class FileImportTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::temp_directory_path() / cat("kehu-import-test-", ::getpid());
    std::filesystem::create_directories(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  std::filesystem::path directory_;
};

TEST_F(FileImportTest, CountsWhatBecameOfTheRows) {
  const std::string path = directory_ / "t.csv";
  std::ofstream(path) << "user,visitor,time,x\n1,,2020-02-03,a\n1,,2020-02-03,a\n,,2020-02-03,a\n1,,x,a\n1,,"
                         "2020-02-03,b\n1\n";
  const auto mapping = Mapping::parse(
      cat("[file]\n[event]\nname = \"E\"\n[rows]\nskip = { column = \"x\", equals = \"b\" }\n", kCommon),
      "m.toml");
  ASSERT_TRUE(mapping.ok()) << mapping.status();
  auto import = FileImport::open(*mapping, path);
  ASSERT_TRUE(import.ok()) << import.status();
  MappedRow row;
  std::string origins;
  while (*(*import)->next(row)) {
    if (!row.rejections.empty()) origins.append((*import)->origin(row)).push_back(' ');
  }
  const Report& report = (*import)->report();
  EXPECT_EQ(report.rows, 6u);
  EXPECT_EQ(report.events, 2u);
  EXPECT_EQ(report.filtered, 1u);
  EXPECT_EQ(report.rejected, 3u);
  EXPECT_EQ(report.rejected_by_reason[static_cast<size_t>(Reason::kNoIdentifier)], 1u);
  EXPECT_EQ(report.rejected_by_reason[static_cast<size_t>(Reason::kInvalidTime)], 1u);
  EXPECT_EQ(report.rejected_by_reason[static_cast<size_t>(Reason::kUnreadableRow)], 1u);
  EXPECT_EQ(report.exact_duplicates, 1u);
  EXPECT_EQ(origins, "t.csv:4 t.csv:5 t.csv:7 ");
  EXPECT_EQ((*import)->position(), (*import)->size());
}

TEST_F(FileImportTest, ADirectoryIsNoFile) {
  const auto mapping = Mapping::parse(cat("[file]\n[event]\nname = \"E\"\n", kCommon), "m.toml");
  EXPECT_EQ(FileImport::open(*mapping, directory_).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(FileImport::open(*mapping, directory_ / "none.csv").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(FileImportTest, AnEmptyFileHasNoRows) {
  for (const char* format : {"csv", "ndjson", "parquet"}) {
    for (const char* bytes : {"", "\xef\xbb\xbf"}) {
      const std::string path = directory_ / "empty";
      std::ofstream(path) << bytes;
      const auto mapping = Mapping::parse(
          cat("[file]\nformat = \"", format, "\"\n[event]\nname = \"E\"\n", kCommon), "m.toml");
      auto import = FileImport::open(*mapping, path);
      ASSERT_TRUE(import.ok()) << import.status();
      MappedRow row;
      EXPECT_FALSE(*(*import)->next(row));
      EXPECT_TRUE((*import)->empty());
    }
  }
}

TEST_F(FileImportTest, FilesThatReadAsOneLongLineAreRefused) {
  const auto wide = [](std::string_view text, bool little) {
    std::string out;
    for (const char c : text) out.append({little ? c : '\0', little ? '\0' : c});
    return out;
  };
  const std::string_view rows = "user,visitor,time\n1,,2020-02-03\n";
  struct Case {
    const char* name;
    std::string bytes;
    const char* want;
  };
  const Case cases[] = {
      {"CR", "user,visitor,time\r1,,2020-02-03\r", "end in CR alone"},
      {"UTF-16 with a mark", cat("\xff\xfe", wide(rows, true)), "is UTF-16, not UTF-8"},
      {"UTF-16LE", wide(rows, true), "is UTF-16LE"},
      {"UTF-16BE", wide(rows, false), "is UTF-16BE"},
  };
  for (const Case& c : cases) {
    const std::string path = directory_ / "odd.csv";
    std::ofstream(path) << c.bytes;
    const auto mapping = Mapping::parse(cat("[file]\n[event]\nname = \"E\"\n", kCommon), "m.toml");
    const auto status = FileImport::open(*mapping, path).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << c.name;
    EXPECT_NE(status.message().find(c.want), std::string::npos) << c.name << ": " << status;
    if (std::string_view(c.name) == "CR") continue;
    const char* encoding = c.name[6] == ' ' ? "UTF-16" : c.name;
    const auto told = Mapping::parse(
        cat("[file]\nencoding = \"", encoding, "\"\n[event]\nname = \"E\"\n", kCommon), "m.toml");
    auto import = FileImport::open(*told, path);
    ASSERT_TRUE(import.ok()) << import.status();
    MappedRow row;
    ASSERT_TRUE(*(*import)->next(row));
    EXPECT_EQ(row.event_count, 1u) << c.name;
  }
}

}  // namespace
}  // namespace kehu::mapping
