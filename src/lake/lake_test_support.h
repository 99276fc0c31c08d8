#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/text.h"
#include "duck/database.h"
#include "lake/definition_rows.h"
#include "lake/lake.h"
#include "lake/tables.h"
#include "os/posix_file_system.h"
#include "os/test_forwarding_files.h"

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
    kept->identifiers.push_back({.type = IdentifierTypeId(0), .token = part(n), .value = kept->value});
    kept->identifiers.push_back({.type = IdentifierTypeId(3),
                                 .left_out = LeftOut::kBlocked,
                                 .sealed = true,
                                 .token = part(n),
                                 .value = "sealed:v1:x"});
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

// A version of a definition, made by record `n`.
inline TableRow sample_definition(uint64_t n) {
  auto version = std::make_shared<const definition::Version>(
      definition::Version{.sequence = Sequence(n),
                          .time = Instant(static_cast<int64_t>(n)),
                          .actor = "li",
                          .body = "{}",
                          .value = {}});
  const definition::NamedVersion named{definition::find_kind(definition::kSettings), "", std::move(version)};
  return definition_rows({&named, 1}).front();
}

// What a customer became by record `n`, in three rows.
inline std::vector<SegmentRow> sample_changes(uint64_t n) {
  std::vector<SegmentRow> rows;
  for (uint32_t ordinal = 0; ordinal < 3; ++ordinal) {
    rows.push_back({.sequence = Sequence(n),
                    .ordinal = ordinal,
                    .at = Instant(static_cast<int64_t>(n)),
                    .kind = ordinal == 2 ? "tag" : "segment",
                    .name = "偏好品类",
                    .version = Sequence(1),
                    .customer = SampleEvents::customer(n + ordinal),
                    .change = ordinal == 2 ? "set" : "entered",
                    .value = ordinal == 2 ? R"("茶")" : "true"});
  }
  return rows;
}

// The real files, but versions of tables wait while they are held, or fail while they are refused.
class HeldFiles final : public os::ForwardingFiles {
 public:
  void hold() { set(held_, true); }
  void let_go() { set(held_, false); }
  void refuse(bool refuse) { set(refused_, refuse); }
  void wait_until_somebody_waits() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_ > 0; });
  }

  absl::Status rename_if_absent(const os::RenamePaths& paths) override {
    {
      std::unique_lock lock(mutex_);
      ++waiting_;
      changed_.notify_all();
      changed_.wait(lock, [this] { return !held_; });
      --waiting_;
      if (refused_) return absl::ResourceExhaustedError("the disk is full");
    }
    return real_.rename_if_absent(paths);
  }

 private:
  void set(bool& what, bool value) {
    const std::lock_guard lock(mutex_);
    what = value;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
  bool refused_ = false;
  int waiting_ = 0;
};

// The folders of months can be made to wait for one another: whoever makes the first waits until a second one
// is made, or 20 seconds. Then one of them may be refused.
class MeetingFiles final : public os::ForwardingFiles {
 public:
  bool met() {
    const std::lock_guard lock(mutex_);
    return met_;
  }
  void refuse(bool refuse) {
    const std::lock_guard lock(mutex_);
    refused_ = refuse;
  }

  absl::Status create_directories(const std::string& path) override {
    if (path.find("month=") == path.npos) return real_.create_directories(path);
    std::unique_lock lock(mutex_);
    const bool second = ++made_ == 2;
    changed_.notify_all();
    met_ = changed_.wait_for(lock, std::chrono::seconds(20), [this] { return made_ >= 2; }) || met_;
    if (second && refused_) return absl::ResourceExhaustedError("the disk is full");
    return real_.create_directories(path);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int made_ = 0;
  bool met_ = false;
  bool refused_ = false;
};

// Reads snapshots with a DuckDB of its own.
class SnapshotReader {
 public:
  SnapshotReader() {
    database_ = *duck::Database::open({});
    for (const TableId table : kAllTables) {
      EXPECT_TRUE(
          database_->add_scan(tail_of(table), schema_of(table).columns, registries_[table].source()).ok());
    }
    connection_ = *database_->connect();
  }

  // The result's first column as text; `sql` reads FROM rows.
  std::vector<std::string> query(const Snapshot& snapshot, const std::string& sql,
                                 TableId table = TableId::kEvents) {
    const std::string columns = delta::column_list(schema_of(table));
    std::string files;
    for (const auto& file : snapshot.tables[table].files->files)
      files += cat(files.empty() ? "" : ",", sql_literal(file->path));
    const int64_t id = registries_[table].add(snapshot.tables[table].tail);
    std::string from = cat("SELECT ", columns, " FROM ", tail_of(table), "(", id, ")");
    if (!files.empty()) from += cat(" UNION ALL SELECT ", columns, " FROM read_parquet([", files, "])");
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
    registries_[table].remove(id);
    return out;
  }

 private:
  static std::string tail_of(TableId table) { return cat("tail_", schema_of(table).name); }

  PerTable<duck::ScanRegistry> registries_;
  std::unique_ptr<duck::Database> database_;
  std::unique_ptr<duck::Connection> connection_;
};

}  // namespace kehu::lake
