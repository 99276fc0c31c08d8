#include "mapping/row_mapper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "mapping/file_import.h"

namespace kehu::mapping {
namespace {

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
  auto reader = read_csv(*mapping, bytes_of(csv), "t.csv");
  if (!reader.ok()) return message_of(reader.status());
  RowMapper mapper(*mapping);
  std::string out;
  Row row;
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
            R"("time":"2020-02-03T02:00:00.000Z","message_id":"t.csv@0:2","channel":"shop",)"
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
       "1,,2020-02-03,", "\"message_id\":\"t.csv@0:2\"}"},
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
      {"keep = { column = \"x\", above = 0 }", "many", false},
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
  EXPECT_THAT(got, testing::HasSubstr(R"("message_id":"t.csv@0:3"})"));
  EXPECT_THAT(got, testing::HasSubstr(R"("message_id":"t.csv@0:3#1","properties":{"total":5}})"));
  EXPECT_THAT(got, testing::HasSubstr(R"("message_id":"t.csv@0:4#2"})"));
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
  EXPECT_EQ(ids_with("\"position\"", csv), "t.csv@0:2 t.csv@0:3 t.csv@0:4 ");
  EXPECT_EQ(ids_with("[\"user\", \"visitor\"]", csv), "1|a 1|a 2|a ");
  const std::string content = ids_with("\"content\"", csv);
  EXPECT_EQ(content.substr(0, 37), content.substr(37, 37));
  EXPECT_NE(content.substr(0, 37), content.substr(74, 37));
  const std::string lengthy =
      ids_with("[\"visitor\"]", ("user,visitor,time\n1," + std::string(300, 'v') + ",2020-02-03\n").c_str());
  EXPECT_EQ(lengthy.size(), 37u) << lengthy;
}

TEST(FileKey, TellsFilesOfOneNameApartAndKnowsAPackedOneAgain) {
  EXPECT_EQ(file_key("/a/orders.csv", "x"), file_key("/b/orders.csv.gz", "x"));
  EXPECT_NE(file_key("/a/orders.csv", "x"), file_key("/b/orders.csv", "y"));
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
  auto reader = read_csv(*mapping, bytes_of(documented("csv")), "orders.csv");
  ASSERT_TRUE(reader.ok()) << reader.status();
  RowMapper mapper(*mapping);
  Row row;
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
