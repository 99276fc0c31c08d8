#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "duck/database.h"
#include "mapping/file_import.h"

namespace kehu::mapping {
namespace {

class ParquetTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::temp_directory_path() / cat("kehu-parquet-test-", ::getpid());
    std::filesystem::create_directories(directory_);
    path_ = directory_ / "orders.parquet";
    auto database = duck::Database::open({});
    ASSERT_TRUE(database.ok()) << database.status();
    auto connection = (*database)->connect();
    ASSERT_TRUE(connection.ok());
    const absl::Status written = (*connection)
                                     ->run(cat("COPY (SELECT i AS id, 'u' || i AS \"user name\", i * 1.5 AS "
                                               "total, i % 2 = 0 AS vip, [i, i + 1] AS items, "
                                               "TIMESTAMP '2020-02-03 10:00:00' + INTERVAL (i) SECOND AS at, "
                                               "CASE WHEN i = 3 THEN NULL ELSE 'x' END AS note, "
                                               "'nan'::DOUBLE AS nothing FROM range(5000) t(i)) TO ",
                                               sql_literal(path_), " (FORMAT parquet)"));
    ASSERT_TRUE(written.ok()) << written;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  absl::StatusOr<Mapping> mapping(const std::string& user) {
    return Mapping::parse(
        cat("[file]\nformat = \"parquet\"\n[identifiers]\nuser_id = \"", user,
            "\"\n[time]\ncolumn = \"at\"\nzone = \"Asia/Shanghai\"\n[event]\nname = \"Order\"\n"
            "[properties]\nid = \"id\"\ntotal = \"total\"\nvip = \"vip\"\nitems = \"items\"\n"
            "note = \"note\"\nnothing = \"nothing\"\n"),
        "m.toml");
  }

  std::filesystem::path directory_;
  std::string path_;
};

TEST_F(ParquetTest, ANameIsNoPattern) {
  const auto read = Mapping::parse(
      "[file]\nformat = \"parquet\"\n[identifiers]\nuser_id = \"u\"\n[time]\ncolumn = \"t\"\n[event]\nname = "
      "\"E\"\n",
      "m.toml");
  ASSERT_TRUE(read.ok()) << read.status();
  auto database = duck::Database::open({});
  auto connection = (*database)->connect();
  const auto write = [&](const std::filesystem::path& path, const std::string& user) {
    std::filesystem::create_directories(path.parent_path());
    const std::string plain = directory_ / "plain.parquet";
    ASSERT_TRUE((*connection)
                    ->run(cat("COPY (SELECT ", sql_literal(user), " AS u, '2026-11-01' AS t) TO ",
                              sql_literal(plain), " (FORMAT parquet)"))
                    .ok());
    std::filesystem::rename(plain, path);
  };
  const char* const decoys[] = {"orders1.parquet", "ab.parquet",   "q1.parquet", "r1.parquet",
                                "r2.parquet",      "d1/x.parquet", "c.parquet",  "ax.parquet"};
  for (const char* name : decoys) write(directory_ / name, "wrong");
  const char* const names[] = {"orders[1].parquet", "a*.parquet",   "q?.parquet",   "r[12].parquet",
                               "d[1]/x.parquet",    "{c}.parquet",  "a\\x.parquet", "~.parquet",
                               "**/y.parquet",      "s3:z.parquet", "it's.parquet", "订单.parquet"};
  for (const char* name : names) {
    write(directory_ / name, name);
    auto import = FileImport::open(*read, directory_ / name);
    ASSERT_TRUE(import.ok()) << name << import.status();
    MappedRow row;
    ASSERT_TRUE(*(*import)->next(row)) << name;
    EXPECT_THAT(row.events, testing::Not(testing::HasSubstr("wrong"))) << name;
    EXPECT_FALSE(*(*import)->next(row)) << name << " is more than one file";
  }
}

TEST_F(ParquetTest, ValuesKeepTheirTypes) {
  const auto read = mapping("user name");
  ASSERT_TRUE(read.ok()) << read.status();
  auto import = FileImport::open(*read, path_);
  ASSERT_TRUE(import.ok()) << import.status();
  MappedRow row;
  std::vector<std::string> events;
  while (*(*import)->next(row)) events.push_back(row.events);
  ASSERT_EQ(events.size(), 5000u);
  EXPECT_THAT(events[2],
              testing::HasSubstr(R"("identifiers":{"user_id":"u2"},"time":"2020-02-03T02:00:02.000Z")"));
  EXPECT_THAT(events[2], testing::HasSubstr(
                             R"("properties":{"id":2,"items":[2,3],"note":"x","total":3.0,"vip":true}})"));
  EXPECT_THAT(events[3], testing::Not(testing::HasSubstr("note")));
  for (size_t i = 0; i < events.size(); ++i)
    ASSERT_THAT(events[i], testing::HasSubstr(cat("\"u", i, "\""))) << "order";
  EXPECT_EQ((*import)->report().exact_duplicates, 0u);
  EXPECT_EQ((*import)->position(), (*import)->size());
}

// What Hive, Spark and ClickHouse write: text that the file does not call text.
TEST_F(ParquetTest, BytesAreTextWhenTheyAreUtf8) {
  auto database = duck::Database::open({});
  auto connection = (*database)->connect();
  const absl::Status written =
      (*connection)
          ->run(cat("COPY (SELECT 'u1' AS u, encode('李娜') AS name, encode('a''b\"\\c') AS ascii, "
                    "'\\xFF\\x00'::BLOB AS raw, [encode('红'), encode('b')] AS list, "
                    "{'sku': encode('茶'), 'n': 1} AS item, encode('pad') || '\\x00\\x00'::BLOB AS pad, "
                    "[{'sku': 'a', 'price': 100, 'qty': 2}, {'sku': 'b', 'price': 5, 'qty': 1}] AS items, "
                    "2001.0::DOUBLE AS d, 2001::DECIMAL(10,2) AS m, 2001::FLOAT AS f) TO ",
                    sql_literal(path_), " (FORMAT parquet)"));
  ASSERT_TRUE(written.ok()) << written;
  const auto mapping = Mapping::parse(R"([file]
format = "parquet"
[identifiers]
user_id = "name"
anonymous_id = { column = "d", prefix = "x" }
[time]
constant = 2026-11-01
[event]
name = "E"
[properties]
a = "ascii"
b = "raw"
c = "list"
d = "item.sku"
e = "pad"
f = "items[].sku"
g = { multiply = ["items[].price", "items[].qty"] }
h = "items[-1].sku"
i = { join = ["d", "m", "f"], separator = "-" }
)",
                                      "m.toml");
  ASSERT_TRUE(mapping.ok()) << mapping.status();
  auto import = FileImport::open(*mapping, path_);
  ASSERT_TRUE(import.ok()) << import.status();
  MappedRow row;
  ASSERT_TRUE(*(*import)->next(row));
  EXPECT_THAT(row.events, testing::HasSubstr(R"("identifiers":{"anonymous_id":"x2001","user_id":"李娜"})"));
  EXPECT_THAT(row.events, testing::HasSubstr(
                              R"("properties":{"a":"a'b\"\\c","b":"ff00","c":["红","b"],"d":"茶","e":"pad",)"
                              R"("f":["a","b"],"g":205,"h":"b","i":"2001-2001-2001"})"));
}

TEST_F(ParquetTest, MissingColumnsAndBrokenFilesAreErrors) {
  const auto read = mapping("user_name");
  const auto import = FileImport::open(*read, path_);
  EXPECT_EQ(import.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(message_of(import.status()), testing::HasSubstr("did you mean \"user name\"?"));
  std::filesystem::resize_file(path_, 500);
  EXPECT_FALSE(FileImport::open(*read, path_).ok());
}

// DuckDB, which reads the file, knows no two names that differ in case alone.
TEST_F(ParquetTest, OfNamesThatDifferInCaseTheLaterOnesHaveANumber) {
  auto database = duck::Database::open({});
  auto connection = (*database)->connect();
  ASSERT_TRUE(
      (*connection)
          ->run(cat("COPY (SELECT 1 AS userid, 2 AS userix) TO ", sql_literal(path_), " (FORMAT parquet)"))
          .ok());
  std::ifstream file(path_, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  for (size_t at = 0; (at = bytes.find("userix", at)) != bytes.npos;) bytes.replace(at, 6, "USERID");
  std::ofstream(path_, std::ios::binary) << bytes;
  const auto rows = Mapping::parse(
      "[file]\nformat = \"parquet\"\n[identifiers]\nuser_id = \"USERID\"\n[time]\nnow = true\n[event]\nname "
      "= \"E\"\n",
      "m.toml");
  EXPECT_THAT(message_of(FileImport::open(*rows, path_).status()), testing::HasSubstr("write \"USERID_1\""));
}

}  // namespace
}  // namespace kehu::mapping
