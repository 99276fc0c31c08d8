#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

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
                                               duck::quote(path_), " (FORMAT parquet)"));
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

TEST_F(ParquetTest, MissingColumnsAndBrokenFilesAreErrors) {
  const auto read = mapping("user_name");
  const auto import = FileImport::open(*read, path_);
  EXPECT_EQ(import.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(message_of(import.status()), testing::HasSubstr("did you mean \"user name\"?"));
  std::filesystem::resize_file(path_, 500);
  EXPECT_FALSE(FileImport::open(*read, path_).ok());
}

}  // namespace
}  // namespace kehu::mapping
