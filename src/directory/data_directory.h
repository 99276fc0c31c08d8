#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "os/file_system.h"
#include "seal/project_key.h"

namespace kehu::directory {

// One installation's files:
//   LOCK            held while a kehu has it open
//   FORMAT          the version of this layout
//   keys/project.key  the project's secret, 64 hexadecimal digits, readable by its owner only
//   keys/fingerprint  names the secret that belongs to this directory
//   log/ state/ lake/ tmp/
//   log.next/       for as long as a log is written that takes the place of log/ (log_replacement.h)
//   kehu.sock       where a running server can be reached by whoever may open the directory
class DataDirectory {
 public:
  // What the directory is opened for. Whoever only reads one of format 1 leaves it one, for the kehu that
  // wrote it.
  enum class Purpose { kReading, kWriting };

  // Creates what is missing and takes the lock. Unavailable when another kehu has it. FailedPrecondition, and
  // nothing written, when the directory holds files but no FORMAT.
  static absl::StatusOr<DataDirectory> open(os::FileSystem& files, std::string path,
                                            Purpose purpose = Purpose::kWriting);

  static constexpr int kRulesFormat = 3;
  // The directory is from now on one of format 3, which has segments, tags, lists or webhooks: a kehu that
  // knows none of them says so, and does not take them for damage. Before the first of them is logged. Any
  // thread.
  absl::Status raise_format();

  // FailedPrecondition when the path holds files of somebody else.
  static absl::Status may_begin(os::FileSystem& files, const std::string& path);

  std::string log() const { return path_ + "/log"; }
  std::string state() const { return path_ + "/state"; }
  std::string lake() const { return path_ + "/lake"; }
  std::string temporary() const { return path_ + "/tmp"; }
  const std::string& path() const { return path_; }
  const seal::ProjectKey& key() const { return key_; }

  // Where a log is written that shall take the place of log().
  std::string next_log() const { return path_ + "/log.next"; }

  // The secret of a directory that somebody else may have open.
  static absl::StatusOr<seal::ProjectKey> read_key(os::FileSystem& files, const std::string& path);

  // kehu.sock in the directory, or a name in /tmp when the path is too long for a socket.
  static std::string socket(const std::string& path);
  static bool exists(os::FileSystem& files, const std::string& path) {
    return files.exists(path + "/FORMAT");
  }

 private:
  DataDirectory(os::FileSystem& files, std::string path, std::unique_ptr<os::FileLock> lock,
                const seal::ProjectKey& key)
      : files_(&files), path_(std::move(path)), lock_(std::move(lock)), key_(key) {}

  os::FileSystem* files_;
  std::string path_;
  std::unique_ptr<os::FileLock> lock_;
  seal::ProjectKey key_;
};

}  // namespace kehu::directory
