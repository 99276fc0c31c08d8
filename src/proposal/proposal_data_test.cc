// Proposals for published data sets, and for small files: each is a mapping that reads every row.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "mapping/file_import.h"
#include "proposal/proposal.h"

namespace kehu::proposal {
namespace {

struct Read {
  std::string toml;
  mapping::Report report;
  std::string first;  // event
};

Read read_with_proposal(const std::string& path, std::optional<Subject> subject = std::nullopt) {
  Read out;
  const auto toml = propose(path, subject);
  if (!toml.ok()) return {.toml = message_of(toml.status()), .report = {}, .first = {}};
  out.toml = *toml;
  const auto mapping = mapping::Mapping::parse(*toml, "proposed.toml");
  EXPECT_TRUE(mapping.ok()) << path << ": " << mapping.status() << "\n" << *toml;
  if (!mapping.ok()) return out;
  auto import = mapping::FileImport::open(*mapping, path);
  EXPECT_TRUE(import.ok()) << path << ": " << import.status() << "\n" << *toml;
  if (!import.ok()) return out;
  mapping::MappedRow row;
  while (true) {
    const auto any = (*import)->next(row);
    EXPECT_TRUE(any.ok()) << path << ": " << any.status();
    if (!any.ok() || !*any) break;
    if (out.first.empty()) out.first = row.events;
    if (!row.rejections.empty() && (*import)->report().rejected == 1)
      out.first += cat("! ", row.line, " ", row.rejections[0].column, ": ", row.rejections[0].detail);
  }
  out.report = (*import)->report();
  return out;
}

std::string written(const std::string& name, const std::string& text) {
  const std::filesystem::path directory =
      std::filesystem::temp_directory_path() / cat("kehu-proposal-", ::getpid());
  std::filesystem::create_directories(directory);
  std::ofstream(directory / name, std::ios::binary) << text;
  return directory / name;
}

TEST(Propose, ReadsSmallFiles) {
  struct Case {
    const char* name;
    const char* text;
    std::vector<const char*> want;  // in the proposal or the first event
  };
  const Case cases[] = {
      {"orders.csv",
       "订单号,手机,下单时间,金额\n1001,13912345678,2026-11-01 "
       "12:00,\"1,299.00\"\n1002,13700001111,2026-11-02 09:30,20\n",
       {"phone = \"手机\"", "zone = \"Asia/Shanghai\"", "order_id = \"订单号\"", "\"total\":1299",
        "\"time\":\"2026-11-01T04:00:00.000Z\"", "Order Completed"}},
      {"semi.csv",
       "OrderID;CustomerID;Date;Total\nA1;1.0;01/11/2026;9.5\nA2;2.0;30/11/2026;7\n",
       {"delimiter = \";\"", "whole = true", "%d/%m/%Y", "\"user_id\":\"1\""}},
      {"events.ndjson",
       "{\"userId\":\"u1\",\"event\":\"Viewed\",\"timestamp\":\"2026-11-01T10:00:00Z\",\"ctx\":{\"os\":"
       "\"ios\"},\"tags\":[1]}\n",
       {"format = \"ndjson\"", "\"event\":\"Viewed\"", "ctx_os = \"ctx.os\""}},
      {"gbk.csv",
       "\xd0\xd5\xc3\xfb,\xca\xd6\xbb\xfa\xba\xc5\n\xc0\xee\xc4\xc8,13912345678\n",
       {"encoding = \"GBK\"", "type = \"identify\"", "\"姓名\":\"李娜\""}},
      {"access.log",
       "1.2.3.4 - ann [22/Nov/2026:10:00:00 +0800] \"GET /tea HTTP/1.1\" 200 512 \"-\" \"curl\"\n",
       {"format = \"log\"", "%d/%b/%Y:%H:%M:%S %z", "\"path\":\"/tea\""}},
      {"nobody.csv",
       "colour,size\nred,1\nblue,2\n",
       {"number = ", "prefix = \"nobody-\"", "file = \"modified\""}},
  };
  for (const Case& c : cases) {
    const Read read = read_with_proposal(written(c.name, c.text));
    EXPECT_EQ(read.report.rejected, 0u) << c.name << read.first;
    EXPECT_GT(read.report.events, 0u) << c.name;
    for (const char* want : c.want) EXPECT_THAT(read.toml + read.first, testing::HasSubstr(want)) << c.name;
  }
}

TEST(Propose, TakesTheSubjectAsTold) {
  const std::string path =
      written("people.csv", "user_id,name,created_at\nu1,Li,2026-11-01\nu2,Na,2026-11-02\n");
  EXPECT_THAT(read_with_proposal(path, Subject::kCustomers).toml, testing::HasSubstr("[traits]"));
  EXPECT_THAT(read_with_proposal(path, Subject::kEvents).toml, testing::HasSubstr("[properties]"));
  EXPECT_THAT(read_with_proposal(path, Subject::kOrders).toml, testing::HasSubstr("Order Completed"));
}

TEST(Propose, SaysWhatCannotBeRead) {
  EXPECT_THAT(read_with_proposal(written("empty.csv", "")).toml, testing::HasSubstr("is empty"));
  EXPECT_THAT(read_with_proposal(written("header.csv", "user_id,name\n")).toml,
              testing::HasSubstr("has no rows"));
  EXPECT_THAT(read_with_proposal(written("a.zst", "\x28\xb5\x2f\xfdxx")).toml,
              testing::HasSubstr("Zstandard"));
  EXPECT_THAT(read_with_proposal("/nowhere.csv").toml, testing::HasSubstr("no file"));
}

TEST(Propose, ReadsPublishedDataSets) {
  const std::filesystem::path data = std::filesystem::path(KEHU_SOURCE_DIR) / "../shared/data";
  if (!std::filesystem::exists(data)) GTEST_SKIP() << "the data sets are not here: " << data;
  size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(data)) {
    const std::string path = entry.path();
    const bool table = path.ends_with(".csv") || path.ends_with(".csv.gz") || path.ends_with(".log.gz");
    if (!entry.is_regular_file() || !table) continue;
    ++files;
    const Read read = read_with_proposal(path);
    EXPECT_EQ(read.report.rejected, 0u) << path << read.first << "\n" << read.toml;
    // Rows that do not say when something happened are left out, where most do: one of one thousand here.
    EXPECT_EQ(read.report.events + read.report.filtered, read.report.rows) << path << "\n" << read.toml;
    EXPECT_LE(read.report.filtered * 1000, read.report.rows) << path << "\n" << read.toml;
    EXPECT_GT(read.report.rows, 0u) << path;
  }
  EXPECT_GT(files, 20u);
}

}  // namespace
}  // namespace kehu::proposal
