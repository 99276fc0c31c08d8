#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "delta/data_file.h"
#include "delta/delta_log.h"
#include "delta/schema.h"
#include "duck/database.h"
#include "os/clock.h"
#include "os/file_system.h"

namespace kehu::delta {

struct TableOptions {
  std::string directory;
  os::FileSystem* files = nullptr;
  os::Clock* clock = nullptr;
  int checkpoint_every = 20;
  Duration retention = Duration::days(1);
};

// A Delta table that Kehu writes, perhaps beside others (an outside OPTIMIZE, a VACUUM). Any thread.
class Table {
 public:
  // Creates the table if it is missing.
  static absl::StatusOr<std::unique_ptr<Table>> open(const TableSchema& schema, const TableOptions& options,
                                                     duck::Database& database);

  // Removes data files that an interrupted write left. Before anything is appended.
  absl::Status remove_orphans();

  const TableSchema& schema() const { return schema_; }
  const std::string& directory() const { return options_.directory; }
  std::shared_ptr<const FileSet> files() const;
  // The log position that the last append gave; 0 before the first.
  Sequence committed() const;

  // One version with new files (none is allowed) and the position they reach up to. FailedPrecondition when
  // another process appended as Kehu or changed the table in a way Kehu does not write.
  absl::Status append(const std::vector<AddFile>& added, Sequence up_to);
  // One version in which `added` holds the rows of `removed`. Aborted when one of them is gone by now.
  absl::Status replace(const std::vector<std::string>& removed, const std::vector<AddFile>& added);

  // The relative paths of files of one partition that are worth merging; empty when there are none.
  struct CompactionRule {
    uint64_t file_bytes;
    int small_files;
  };
  std::vector<std::string> find_small_files(const CompactionRule& rule) const;
  std::optional<AddFile> find_file(const std::string& path) const;
  // The files of the version that files() shows, and a promise that vacuum() leaves them until release().
  struct Held {
    std::vector<std::string> data;  // relative paths
    std::vector<std::string> log;   // names in _delta_log, `_last_checkpoint` not among them
    std::string pointer;            // the content of `_last_checkpoint`; empty when there is none
  };
  absl::StatusOr<Held> hold();
  void release();
  // Deletes at most 1,000 files that left the table longer than the retention ago, and old versions of the
  // log. The number deleted.
  absl::StatusOr<size_t> vacuum();

 private:
  Table(const TableSchema& schema, const TableOptions& options, std::unique_ptr<duck::Connection> connection);
  absl::Status load_or_create();
  absl::Status check() const;
  absl::Status remove_orphans_in(const std::string& folder);
  struct Commit {
    const std::vector<AddFile>& added;
    std::vector<RemoveFile> removed;
    std::optional<Sequence> up_to;
  };
  absl::Status commit(const Commit& commit);
  absl::Status resolve_conflict(const Commit& commit);
  void publish();

  const TableSchema& schema_;
  const TableOptions options_;
  mutable std::mutex mutex_;
  DeltaLog log_;
  TableState state_;
  std::shared_ptr<const FileSet> files_;
  std::map<std::string, std::shared_ptr<const DataFile>>
      known_;  // by relative path, so that stats are read once
  int64_t trimmed_at_ = 0;
  int holds_ = 0;
  absl::Status broken_;
};

}  // namespace kehu::delta
