#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Files and directories, and the only place that asks the kernel for them. Whoever stores something takes a
// FileSystem&, so that tests can cut the power at every single operation (memory_file_system.h).
//
// Errors name the path and the kernel's reason: NotFound, AlreadyExists, ResourceExhausted (disk or quota
// full), PermissionDenied, DataLoss (EIO), Unavailable (a lock that another process holds), else Unknown.
//
// What survives a power cut: bytes of a file after a sync() that returned OK, and names (create, rename,
// remove) after a sync_directory() of their directory that returned OK. Nothing else.
namespace kehu::os {

// An open file, closed by its destructor. One thread at a time may use it, but reads may run beside each
// other.
class File {
 public:
  virtual ~File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  // All of `bytes` or an error; after an error any part of them may have been written. The file grows as
  // needed.
  virtual absl::Status write_at(uint64_t offset, std::string_view bytes) = 0;
  virtual absl::Status append(std::string_view bytes) = 0;
  // The number of bytes read: fewer than `size` only at the end of the file.
  virtual absl::StatusOr<size_t> read_at(uint64_t offset, size_t size, char* out) const = 0;
  virtual absl::StatusOr<uint64_t> size() const = 0;
  // Makes a new, empty file `size` bytes of zeros and allocates its blocks, so that later writes inside do
  // not fail for want of space. Cheap, because the zeros are not written; not synced.
  virtual absl::Status preallocate(uint64_t size) = 0;
  virtual absl::Status truncate(uint64_t size) = 0;
  // fdatasync. An error is final: the kernel forgets the pages that it could not write, so a second call may
  // return OK with the data gone. Never retry, never acknowledge.
  virtual absl::Status sync() = 0;
  // Brings what was written to the disk little by little, for files whose sync would hold up those of others
  // meanwhile. It promises nothing: a sync() follows.
  virtual void write_back() {}

 protected:
  File() = default;
};

// Held until destroyed; the kernel drops it when the process dies.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

enum class OpenMode {
  kRead,
  kReadWrite,  // the file must exist
  kCreateNew,  // AlreadyExists if there is one
  kCreateOrTruncate,
};

struct RenamePaths {
  std::string from;
  std::string to;
};

// All functions may be called from any thread. Paths are UTF-8; relative ones are relative to the process.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual absl::StatusOr<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  // Replaces `to` atomically.
  virtual absl::Status rename(const RenamePaths& paths) = 0;
  // Put-if-absent: AlreadyExists, and nothing changed, when there is a file at `to`. Of several that race for
  // one name exactly one wins.
  virtual absl::Status rename_if_absent(const RenamePaths& paths) = 0;
  virtual absl::Status remove(const std::string& path) = 0;
  // Creates the directory and its missing parents; OK when it exists.
  virtual absl::Status create_directories(const std::string& path) = 0;
  virtual absl::Status remove_directory(const std::string& path) = 0;  // an empty one
  virtual absl::Status sync_directory(const std::string& path) = 0;
  // Names (not paths) of files and directories in it, sorted, without "." and "..".
  virtual absl::StatusOr<std::vector<std::string>> list(const std::string& directory) = 0;
  virtual absl::StatusOr<uint64_t> file_size(const std::string& path) = 0;
  virtual bool exists(const std::string& path) = 0;
  // An exclusive advisory lock on a file, created if missing; Unavailable when another process (or another
  // holder in this one) has it.
  virtual absl::StatusOr<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
  // Bytes that an unprivileged process may still write to the disk that holds `path`.
  virtual absl::StatusOr<uint64_t> free_bytes(const std::string& path) = 0;
};

}  // namespace kehu::os
