#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/text.h"
#include "duck/database.h"
#include "lake/columns.h"
#include "lake/lake.h"
#include "os/posix_file_system.h"

// For tests of the lake and of what reads it.
namespace kehu::lake {

// Deterministic events by number: two months, five customers, two parts each, JSON with quotes and Chinese.
class SampleEvents {
 public:
  static constexpr int64_t kStart = 1'767'225'600;  // 2026-01-01T00:00:00Z

  // Rows with the sequences [from, to); views live in this object.
  std::vector<Row> rows(uint64_t from, uint64_t to) {
    std::vector<Row> rows;
    for (uint64_t n = from; n < to; ++n)
      rows.push_back({Sequence(n), customer(n), part(n), "shop", &event(n)});
    return rows;
  }
  static Token part(uint64_t n) { return Token{Hash128{0xabcd, 100 + n % 10}}; }
  static CustomerId customer(uint64_t n) { return CustomerId{Hash128{0xabcd, 100 + n % 5}}; }

  const Event& event(uint64_t n) {
    std::unique_ptr<Kept>& kept = kept_[n];
    if (kept != nullptr) return kept->event;
    kept = std::make_unique<Kept>();
    kept->message_id = cat("message-with-a-long-id-", n);
    kept->value = cat("user \"", n % 5, "\"");
    kept->properties =
        cat("{\"n\":", n, ",\"名称\":\"it's \\\"number\\\" ", n, "\",\"price\":", n % 100, ".25}");
    kept->identifiers.push_back({IdentifierTypeId(0), LeftOut::kNo, false, false, part(n), kept->value});
    kept->identifiers.push_back(
        {IdentifierTypeId(3), LeftOut::kBlocked, true, false, part(n), "sealed:v1:x"});
    Event& event = kept->event;
    event.project = ProjectId(1);
    event.type = n % 3 == 0 ? EventType::kIdentify : EventType::kTrack;
    event.channel = Channel::kWeb;
    event.time =
        Instant::from_seconds(kStart + static_cast<int64_t>(n % 2) * 31 * 86400 + static_cast<int64_t>(n));
    event.original_time = event.time;
    event.received_at = event.time + Duration::millis(17);
    event.message_id = kept->message_id;
    event.name = n % 3 == 0 ? "" : (n % 3 == 1 ? "Product Viewed" : "Order Completed");
    event.properties = kept->properties;
    event.identifiers = kept->identifiers;
    return event;
  }

 private:
  struct Kept {
    Event event;
    std::string message_id;
    std::string value;
    std::string properties;
    std::vector<Identifier> identifiers;
  };
  std::map<uint64_t, std::unique_ptr<Kept>> kept_;
};

// A directory of its own per test, deleted at its start.
inline std::string fresh_directory(const std::string& name) {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  const std::string path =
      cat(testing::TempDir(), "kehu_", test->test_suite_name(), "_", test->name(), "_", name);
  std::filesystem::remove_all(path);
  return path;
}

inline LakeOptions sample_options(const std::string& directory) {
  LakeOptions options;
  options.directory = directory + "/lake";
  options.temp_directory = directory + "/tmp";
  options.settings = std::make_shared<Settings>(Settings::defaults());
  options.files = &os::posix_file_system();
  options.clock = &os::system_clock();
  return options;
}

// Reads snapshots with a DuckDB of its own.
class SnapshotReader {
 public:
  SnapshotReader() {
    database_ = *duck::Database::open({});
    EXPECT_TRUE(database_->add_scan("tail", events_schema().columns, registry_.source()).ok());
    connection_ = *database_->connect();
  }

  // The result's first column as text; `sql` reads FROM rows.
  std::vector<std::string> query(const Snapshot& snapshot, const std::string& sql) {
    std::string files;
    for (const auto& file : snapshot.events->files)
      files += cat(files.empty() ? "" : ",", duck::quote(file->path));
    const int64_t id = registry_.add(snapshot.events_tail);
    std::string from = cat("SELECT * FROM tail(", id, ")");
    if (!files.empty()) {
      from += cat(" UNION ALL BY NAME SELECT * EXCLUDE (month) FROM read_parquet([", files, "])");
    }
    std::vector<std::string> out;
    auto result =
        connection_->query(cat("WITH rows AS (", from, ") SELECT CAST(#1 AS VARCHAR) FROM (", sql, ")"));
    EXPECT_TRUE(result.ok()) << result.status();
    duck::Batch batch;
    while (result.ok()) {
      auto more = result->next(batch);
      EXPECT_TRUE(more.ok()) << more.status();
      if (!more.ok() || !*more) break;
      for (size_t row = 0; row < batch.rows(); ++row) {
        out.emplace_back(batch.is_null(0, row) ? "NULL" : batch.text(0, row));
      }
    }
    registry_.remove(id);
    return out;
  }

 private:
  duck::ScanRegistry registry_;
  std::unique_ptr<duck::Database> database_;
  std::unique_ptr<duck::Connection> connection_;
};

}  // namespace kehu::lake
