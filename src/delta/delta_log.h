#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "delta/actions.h"
#include "delta/log_file.h"
#include "duck/database.h"
#include "os/file_system.h"

// The `_delta_log` directory of one table: versions as JSON files that are created once and never changed,
// checkpoints as Parquet. Not thread-safe; the table locks.
namespace kehu::delta {

class DeltaLog {
 public:
  // `directory` is the table's. `connection` reads and writes checkpoints and belongs to this log alone.
  DeltaLog(const std::string& directory, os::FileSystem& files, std::unique_ptr<duck::Connection> connection);

  // Creates the directory and removes what an interrupted write left in it. Before anything is written.
  absl::Status prepare();
  // The newest version; version −1 when there is none. DataLoss when the last checkpoint or a version between
  // it and the newest is missing, unreadable, or has not the bytes that it was written with.
  absl::StatusOr<TableState> load();
  // Applies the versions that others have written since: all of them, or none when one cannot be read.
  absl::Status load_newer(TableState& state, ActionEffect& effect);

  // Creates `version`, durable on return. AlreadyExists when someone else was first: nothing was written.
  // DataLoss: whether it is durable is unknown until the log is loaded again.
  absl::Status create_version(int64_t version, const CommitInfo& info, std::string_view actions);
  // Writes the state as a checkpoint and points _last_checkpoint to it; a reader then starts from there.
  absl::Status write_checkpoint(const TableState& state);
  // What a reader of `version` may look at: the names of versions and checkpoints, and the content of
  // _last_checkpoint, empty when there is none.
  struct Files {
    std::vector<std::string> names;
    std::string pointer;
  };
  absl::StatusOr<Files> files_up_to(int64_t version);
  // Deletes up to `limit` versions and checkpoints that are older than `before` and not needed to read any
  // newer one. The number deleted.
  absl::StatusOr<size_t> trim(int64_t before, size_t limit);

 private:
  std::string path(const std::string& name) const { return log_ + "/" + name; }
  std::string scratch(const char* extension) const;
  absl::Status sync_file(const std::string& path);
  absl::StatusOr<TableState> load_checkpoint(const std::vector<std::string>& names);
  absl::Status verify_checkpoint(const std::string& name);
  absl::Status apply_version(int64_t version, TableState& state, ActionEffect& effect);
  absl::StatusOr<LogMarks> read_pointer();
  absl::Status remember_version(int64_t version);

  std::string log_;
  os::FileSystem& files_;
  std::unique_ptr<duck::Connection> connection_;
  // For the next version: the checksum of the one before, and the checkpoint that no version has told of yet.
  std::optional<uint32_t> previous_;
  std::optional<CheckpointMark> checkpoint_;
};

}  // namespace kehu::delta
