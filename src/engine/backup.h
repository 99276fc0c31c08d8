#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "directory/data_directory.h"
#include "engine/words.h"
#include "lake/lake.h"
#include "log/extent.h"
#include "os/clock.h"
#include "os/file_system.h"
#include "state/database.h"

namespace kehu::engine {

// How far a backup or a restore has got.
struct CopyProgress {
  enum class Stage { kNone, kRunning, kDone, kFailed };
  Stage stage = Stage::kNone;
  std::string target;
  uint64_t bytes = 0;        // copied
  uint64_t bytes_total = 0;  // as far as known; grows when the log does
  absl::Status status = {};  // why it failed
};

// Copies a data directory that is open and written to, so that the copy is sound: the state of one
// checkpoint, the archive as of a version behind it, and the log up to a record behind both. Nothing waits
// for it: files that are being copied are held, and everything else goes on.
//
// The copy grows under the name TARGET.unfinished, is synced, and is then renamed: what is called TARGET is
// whole. One backup at a time; its thread has low priority. Any thread.
class Backup {
 public:
  struct Sources {
    os::FileSystem& files;
    os::Clock& clock;
    const DataDirectory& directory;
    state::Database& database;
    lake::Lake& lake;
    log::Extent& log;
  };
  explicit Backup(const Sources& sources) : sources_(sources) {}
  ~Backup();

  // Begins one. FailedPrecondition while another runs; InvalidArgument when the target is not absolute, is
  // not empty, or lies in the data directory.
  absl::Status start(const std::string& target);
  CopyProgress progress() const;
  // Breaks off what runs.
  void stop();

 private:
  void run(const std::string& target);
  absl::Status copy_all(const std::string& target);
  absl::Status copy_state(const std::string& target);
  absl::Status copy_archive(const std::string& target);
  absl::Status copy_log(const std::string& target);
  absl::Status copy_rest(const std::string& target);
  absl::Status copied(uint64_t bytes);

  Sources sources_;
  mutable std::mutex mutex_;
  CopyProgress progress_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

// Of a finished backup; beside its FORMAT.
inline constexpr char kBackupMark[] = "BACKUP";

// Copies the backup in `from` to `to`, which must be missing or empty, checks the copy, and gives it its name
// only then. NotFound when `from` is no finished backup, DataLoss when the copy is not sound.
struct RestorePaths {
  std::string from;
  std::string to;
};
absl::Status restore(os::FileSystem& files, const RestorePaths& paths,
                     const std::function<void(const CopyProgress&)>& report);

}  // namespace kehu::engine
