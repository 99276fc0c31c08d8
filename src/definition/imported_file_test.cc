#include "definition/imported_file.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace kehu::definition {
namespace {

TEST(FileFamily, DropsWhatPackingRotationAndCopyingAdd) {
  struct Case {
    const char* given;
    const char* want;
  };
  const Case cases[] = {
      {"app.log", "app.log"},
      {"app.log.1", "app.log"},
      {"app.log.12.gz", "app.log"},
      {"app.log-20261101", "app.log"},
      {"app.log-20261101.zst", "app.log"},
      {"app.log.2026-11-01", "app.log"},
      {"app.log-20261101-1530", "app.log-20261101-1530"},
      {"orders (1).csv", "orders.csv"},
      {"orders(2).csv", "orders.csv"},
      {"orders copy.csv.gz", "orders.csv"},
      {"orders.csv~", "orders.csv"},
      {"orders.csv.bak", "orders.csv"},
      {"orders-20261101.csv", "orders-20261101.csv"},
      {"orders-20261101", "orders-20261101"},
      {"2026-11-01.csv", "2026-11-01.csv"},
      {"20261101", "20261101"},
      {"v1.2", "v1.2"},
      {"(1).csv", "(1).csv"},
      {".gz", ".gz"},
      {"", ""},
      {"订单 (3).csv", "订单.csv"},
      {"orders.ndjson", "orders.json"},
      {"orders (1).jsonl.gz", "orders.json"},
      {".jsonl", ".jsonl"},
  };
  for (const Case& c : cases) EXPECT_EQ(file_family(c.given), c.want) << c.given;
}

TEST(ImportedFile, KeepsWhatIsKnownOfUnfinishedRows) {
  ImportedFile file{.source = SourceId(1), .key = "app.log@1", .file = "app.log", .begun = Instant(1'000)};
  file.open_first_bytes = 7;
  file.open_first = hash128("x");
  file.open_line = 19;
  file.open_row = hash128("y");
  const auto again = parse_imported_file(to_json(file));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->open_first_bytes, 7u);
  EXPECT_EQ(again->open_first, file.open_first);
  EXPECT_EQ(again->open_line, 19u);
  EXPECT_EQ(again->open_row, file.open_row);
}

TEST(ImportedFile, IsReadAsItWasWritten) {
  ImportedFile file{.source = SourceId(1), .key = "订单.csv@1", .file = "订单.csv", .head_rows = 1};
  file.head = hash128("a");
  file.whole = true;
  file.begun = Instant(1'000);
  file.mapping = "orders.toml";
  file.ended = Instant(2'000'000);
  file.rows = 7;
  file.events = 8;
  file.complete = true;
  const auto read = parse_imported_file(to_json(file));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(to_json(*read), to_json(file));
  EXPECT_FALSE(parse_imported_file("{}").ok());
  EXPECT_FALSE(parse_imported_file("[").ok());
}

}  // namespace
}  // namespace kehu::definition
