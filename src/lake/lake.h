#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "delta/file_check.h"
#include "duck/database.h"
#include "lake/segment_rows.h"
#include "lake/snapshot.h"
#include "lake/table_row.h"
#include "model/event.h"
#include "model/ids.h"
#include "model/settings.h"
#include "os/clock.h"
#include "os/file_system.h"

// The archive: Delta Lake tables (tables.h), every accepted event as one row of `events` among them, and the
// rows that are not in them yet. docs/formats/lake.md describes the files.
namespace kehu::lake {

// One accepted call. Views are valid during Lake::append.
struct Row {
  Sequence sequence;    // of its record in the log; rows come in ascending order
  CustomerId customer;  // as resolved when it was ingested
  Token part;
  std::string_view source;  // name
  const Event* event = nullptr;
};

// From `sequence` on, the events of `part` belong to `customer`.
struct Move {
  Sequence sequence;
  Instant time;
  Token part;
  CustomerId customer;
};

// Up to which record each table holds every row. One that got no rows lately may be far behind.
using LakePositions = PerTable<Sequence>;

struct LakeOptions {
  std::string directory;                     // DIR/lake
  std::string temp_directory;                // Kehu's alone; for sorting more than fits in memory
  std::shared_ptr<const Settings> settings;  // business day, names of identifier types
  os::FileSystem* files = nullptr;
  os::Clock* clock = nullptr;
  int threads = 1;                     // two write no faster beside a stream, and take both cores from it
  uint64_t memory_bytes = 1ull << 30;  // of compaction and of writing Parquet; more is spilled to disk
  uint64_t tail_bytes = 512ull << 20;  // more rows than this are committed at once
  uint64_t file_bytes = 128ull << 20;  // compaction makes files of about this size
  int small_files = 8;                 // a partition is compacted when it has this many small files
  int checkpoint_every = 20;           // commits
  Duration retention =
      Duration::days(1);  // of files that left the table; must outlast any statement and outside reader
  // Asked at the opening, before anything is removed: an error ends it.
  std::function<absl::Status(const LakePositions&)> judge = {};
};

// How the time of appends and commits was spent, since open.
struct LakeCounters {
  uint64_t rows_appended = 0;   // of `events`
  uint64_t rows_committed = 0;  // of `events`
  uint64_t commits = 0;         // of each table
  uint64_t failed_commits = 0;
  uint64_t files_written = 0;
  uint64_t bytes_written = 0;
  uint64_t compactions = 0;
  Duration append_time;
  Duration write_time;  // rows to Parquet
  Duration sync_time;   // fsync of files and directories
  Duration log_time;    // Delta commit and checkpoint
};

// One thread appends: append, move, freeze, commit and set_settings. write() may run beside it on one other
// thread, and maintain() on a third; snapshot(), committed() and counters() are for any thread.
//
// Each table has two tails. Rows are appended to the one; freeze() makes it the other, which write() commits
// while appending goes on. All of them can be read at any time, each row once.
//
// After a failed commit the rows stay frozen, readable, and the next commit writes new files. Where it cannot
// be known whether a commit is on disk (DataLoss), or another process appends as Kehu (FailedPrecondition),
// every later commit fails the same way; opening again recovers.
class Lake {
 public:
  // Reads the tables' logs and removes what an interrupted write left. FailedPrecondition when a table needs
  // Delta features beyond reader 1 / writer 2, or its columns are not Kehu's. DataLoss when a log or a file
  // of `identity_log` is damaged.
  static absl::StatusOr<std::unique_ptr<Lake>> open(LakeOptions options);
  ~Lake();

  // Everything up to this position is durable here: replay the log behind it.
  Sequence committed() const;

  // One rule for all tables: rows come in the order of the log and have the order in which they come; those
  // at or below the position of their table are there already, and are dropped. From the return the others
  // are in every new snapshot. What belongs to one stretch of the log goes in whole: whether there is room()
  // is asked before its first row.
  //
  // `events`: ~250 ns a row. Last of a stretch of the log.
  void append(absl::Span<const Row> rows);
  // Moved parts, by merges and un-merges: rows of `identity_log`.
  void move(absl::Span<const Move> moves);
  // Changes of segments and tags: rows of `segment_log`. ~200 ns a row.
  void append(absl::Span<const SegmentRow> rows);
  // Any other table.
  void append(TableId table, absl::Span<const TableRow> rows);

  // The rows that are not committed take more memory than they should, and no commit has failed a moment ago:
  // commit now.
  bool full() const;
  // ResourceExhausted when they take twice as much: then no more is to be appended.
  absl::Status room() const;

  // Sets aside what was appended, for the next write() to commit up to `up_to`; nothing at or below it may be
  // appended afterwards. Not while write() runs. False when there is nothing to write: without rows, that is
  // until `up_to` is far ahead.
  bool freeze(Sequence up_to);
  // Makes what was frozen durable. Takes the time of writing Parquet and two or three fsyncs a table.
  absl::Status write();
  // Takes its share of the files of a write() that runs on another thread, until none is left to begin.
  // Returns at once when none runs. One thread at a time; may be the appending one.
  void help();
  // Both.
  absl::Status commit(Sequence up_to);

  // Every row of the table up to here is committed or frozen. The appending thread's.
  Sequence position(TableId table) const;
  // Puts back, durably, what a table that is neither `events` nor `identity_log` lost: its rows up to record
  // `up_to`. Before the first append.
  absl::Status restore_rows(TableId table, absl::Span<const TableRow> rows, Sequence up_to);
  absl::Status restore_rows(absl::Span<const SegmentRow> rows, Sequence up_to);
  // The rows of a table's files by a statement over `rows`. Before the first append.
  absl::Status read(TableId table, std::string_view select,
                    const std::function<absl::Status(const duck::Batch&, size_t)>& visit);

  void set_settings(std::shared_ptr<const Settings> settings);
  // Puts back what `identity_log` lost: wherever the rows of `events` or the moves give a part to another
  // customer than `owner_of` does, who has it behind record `up_to`. Before the first append; a pass over two
  // columns of the table.
  absl::Status restore_moves(Sequence up_to, const std::function<std::optional<CustomerId>(Token)>& owner_of);

  // The files of one moment, for copying them: paths below the directory, and small files whose content
  // changes. They stay until release().
  struct Held {
    std::vector<std::string> files;
    std::vector<std::pair<std::string, std::string>> contents;  // path, text
  };
  absl::StatusOr<Held> hold();
  void release();

  // Rows of `events` that are appended and not committed.
  uint64_t tail_rows() const;
  // One step of background work: compacts one partition, or deletes files past their retention. True when
  // there was something to do, and there may be more. Seconds of work.
  absl::StatusOr<bool> maintain();

  // Everything as of now, for any length of time below the retention.
  std::shared_ptr<const Snapshot> snapshot() const;
  LakeCounters counters() const;
  const std::string& directory() const;
  // Of the data files of snapshots: whoever reads one asks first.
  delta::FileCheck& file_check() const;

 private:
  class Core;
  explicit Lake(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

// The JSON text of the column `identifiers`: [{"type":"phone","sealed":"…"},{"type":"user_id","value":"7"}],
// with "left_out":"reason" where one was not used.
void append_identifiers(absl::Span<const Identifier> identifiers, const Settings& settings, std::string& out);

}  // namespace kehu::lake
