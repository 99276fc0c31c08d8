#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "delta/data_file.h"
#include "os/file_system.h"

namespace kehu::delta {

// Compares data files with the checksums that they were written with, each before this process first reads
// it, and again whenever somebody asks. Any thread. ~1 GB/s beyond reading; files that this process wrote
// are known to be sound.
class FileCheck {
 public:
  // Asked before each piece of so many bytes is read: may wait, and an error ends the comparison.
  using Going = absl::FunctionRef<absl::Status(size_t bytes)>;

  explicit FileCheck(os::FileSystem& files) : files_(files) {}

  // OK at once when the file was found to be sound before. DataLoss, naming it, when it is missing or does
  // not have its bytes; it is looked at again the next time, because it may have been put back.
  absl::Status before_reading(const DataFile& file, Going going);
  // The same, but the file is read in any case. NotFound when it is gone.
  absl::Status again(const DataFile& file, Going going);

  // OK, or the damaged file that was found first and is damaged still.
  absl::Status damage() const;

  struct Counters {
    uint64_t files = 0;
    uint64_t bytes = 0;
    uint64_t damaged = 0;  // now
  };
  Counters counters() const;

 private:
  absl::Status take_turn(Going going);
  void end_turn();
  absl::Status compare(const DataFile& file, Going going);
  void note(const DataFile& file, const absl::Status& status);

  os::FileSystem& files_;
  mutable std::mutex mutex_;
  // One comparison before reading at a time, so that two statements do not read the same file.
  bool turn_taken_ = false;
  std::condition_variable turn_ended_;
  std::map<std::string, absl::Status> damaged_;
  Counters counters_;
};

}  // namespace kehu::delta
