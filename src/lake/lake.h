#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "lake/snapshot.h"
#include "model/event.h"
#include "model/ids.h"
#include "model/settings.h"
#include "os/clock.h"
#include "os/file_system.h"

// The archive: every accepted event as one row of the Delta Lake table `events`, and the rows that are not in
// it yet. docs/formats/lake.md describes the files.
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

struct LakeOptions {
  std::string directory;                     // DIR/lake
  std::string temp_directory;                // Kehu's alone; for sorting more than fits in memory
  std::shared_ptr<const Settings> settings;  // business day, names of identifier types
  os::FileSystem* files = nullptr;
  os::Clock* clock = nullptr;
  int threads = 2;
  uint64_t memory_bytes = 1ull << 30;  // of compaction and of writing Parquet; more is spilled to disk
  uint64_t tail_bytes = 512ull << 20;  // a larger tail is committed at once
  uint64_t file_bytes = 128ull << 20;  // compaction makes files of about this size
  int small_files = 8;                 // a partition is compacted when it has this many small files
  int checkpoint_every = 20;           // commits
  Duration retention =
      Duration::days(1);  // of files that left the table; must outlast any statement and outside reader
};

// How the time of appends and commits was spent, since open.
struct LakeCounters {
  uint64_t rows_appended = 0;
  uint64_t rows_committed = 0;
  uint64_t commits = 0;
  uint64_t failed_commits = 0;
  uint64_t files_written = 0;
  uint64_t bytes_written = 0;
  uint64_t compactions = 0;
  Duration append_time;
  Duration write_time;  // rows to Parquet
  Duration sync_time;   // fsync of files and directories
  Duration log_time;    // Delta commit and checkpoint
};

// One thread (the lake thread) calls append, move, commit and set_settings; maintain() may run beside it on
// one other thread; snapshot(), committed() and counters() are for any thread.
//
// After a failed commit the rows stay in the tail, readable, and the next commit writes new files. Where it
// cannot be known whether a commit is on disk (DataLoss), or another process appends as Kehu
// (FailedPrecondition), every later commit fails the same way; opening again recovers.
class Lake {
 public:
  // Reads the table's log and removes what an interrupted write left. FailedPrecondition when the table needs
  // Delta features beyond reader 1 / writer 2, or its columns are not Kehu's.
  static absl::StatusOr<std::unique_ptr<Lake>> open(LakeOptions options);
  ~Lake();

  // Everything up to this position is durable here: replay the log behind it. Rows and moves at or below it
  // are dropped.
  Sequence committed() const;

  // Moved parts, by merges and un-merges, in log order. Of one stretch of the log, moves come before rows.
  absl::Status move(absl::Span<const Move> moves);
  // From its return the rows are in every new snapshot. ~250 ns a row. A full tail is committed up to the
  // last row; if that fails, its error is returned and the rows are kept, until the tail is twice as large as
  // it may be: then ResourceExhausted, and none of `rows` was taken.
  absl::Status append(absl::Span<const Row> rows);
  // Makes everything appended durable; nothing at or below `up_to` may be appended afterwards. Blocks for the
  // time of writing Parquet and two or three fsyncs. Without rows it writes nothing until `up_to` is far
  // ahead.
  absl::Status commit(Sequence up_to);
  void set_settings(std::shared_ptr<const Settings> settings);

  // Rows appended and not committed.
  uint64_t tail_rows() const;
  // One step of background work: compacts one partition, or deletes files past their retention. True when
  // there was something to do, and there may be more. Seconds of work.
  absl::StatusOr<bool> maintain();

  // Everything as of now, for any length of time below the retention.
  std::shared_ptr<const Snapshot> snapshot() const;
  LakeCounters counters() const;
  const std::string& directory() const;

 private:
  class Core;
  explicit Lake(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

// The JSON text of the column `identifiers`: [{"type":"phone","sealed":"…"},{"type":"user_id","value":"7"}],
// with "left_out":"reason" where one was not used.
void append_identifiers(absl::Span<const Identifier> identifiers, const Settings& settings, std::string& out);

}  // namespace kehu::lake
