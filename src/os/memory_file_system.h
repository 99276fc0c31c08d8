#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "os/file_system.h"

namespace kehu::os {

// What goes wrong at one counted operation.
enum class FaultKind {
  kIoError,      // EIO, nothing done. At a sync: the unsynced bytes are forgotten, as Linux does
  kDiskFull,     // ENOSPC, nothing done
  kHalfDone,     // a write stores its first half, then EIO; other operations fail as kIoError
  kCrashBefore,  // the power goes before the operation
  kCrashHalf,    // a write reaches the cache by half, a sync the disk by a part, then the power goes
  kCrashAfter,   // the power goes when the operation is complete, but its caller never hears of it
};

struct Fault {
  uint64_t operation = 0;  // index into the count of MemoryFileSystem::operations(), from 0
  FaultKind kind = FaultKind::kIoError;
  uint64_t times = 1;  // for this many operations in a row (not for crashes)
};

// A file system in memory for tests: deterministic, and as unkind as POSIX allows. Every file has the bytes
// that programs see and the bytes that are on the disk. A power cut drops unsynced bytes in any subset of
// 512-byte sectors, and undoes the newest name changes of a directory that was not synced.
//
// Counted operations are those that change something: opening to create or truncate, write, append,
// preallocate, truncate, sync, rename, remove, create and remove directory, sync_directory. Thread-safe.
class MemoryFileSystem : public FileSystem {
 public:
  static constexpr size_t kSectorBytes = 512;

  MemoryFileSystem();
  ~MemoryFileSystem() override;

  void plan(Fault fault);
  void clear_faults();
  uint64_t operations() const;
  // Every write and preallocation beyond this many bytes in all files fails with ResourceExhausted.
  void set_capacity(uint64_t bytes);
  // True from the planned crash on: every operation fails with Unavailable until reboot().
  bool crashed() const;
  // Cuts the power if it is still on, and comes up again with what the disk has, drawn by `seed`. Handles and
  // locks from before are dead.
  void reboot(uint64_t seed);
  // Flips one bit of a file, both in cache and on disk.
  void flip_bit(const std::string& path, uint64_t bit);

  absl::StatusOr<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  absl::Status rename(const RenamePaths& paths) override;
  absl::Status rename_if_absent(const RenamePaths& paths) override;
  absl::Status remove(const std::string& path) override;
  absl::Status create_directories(const std::string& path) override;
  absl::Status remove_directory(const std::string& path) override;
  absl::Status sync_directory(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> list(const std::string& directory) override;
  absl::StatusOr<uint64_t> file_size(const std::string& path) override;
  bool exists(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<FileLock>> lock(const std::string& path) override;
  absl::StatusOr<uint64_t> free_bytes(const std::string& path) override;

 private:
  struct Disk;
  class OpenFile;
  class HeldLock;

  std::shared_ptr<Disk> disk_;
};

}  // namespace kehu::os
