#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "base/time.h"
#include "lake/lake.h"
#include "os/file_system.h"
#include "state/database.h"

namespace kehu::engine {

// Reads every file of the state and the archive again, slowly, and compares it with the checksum it was
// written with, so that a disk that loses bits is noticed before somebody needs them. One thread of low
// priority.
class Scrub {
 public:
  struct Options {
    uint64_t bytes_per_second = 8u << 20;
    Duration first_after = Duration::seconds(10);  // of the opening
    Duration period = Duration::days(1);           // from the beginning of a pass to the next one
  };
  Scrub(lake::Lake& lake, const state::Database& database, os::FileSystem& files, Options options);
  ~Scrub();
  void stop();

  // OK, or a file of the state that is damaged. Those of the archive are told by Lake::file_check().
  absl::Status damage() const;

  struct Counters {
    uint64_t passes = 0;  // finished
    uint64_t files = 0;
    uint64_t bytes = 0;
    uint64_t damaged_tables = 0;  // now
  };
  Counters counters() const;

 private:
  void run();
  void pass();
  void read_archive();
  void read_state();
  absl::Status compare(const state::Database::Table& table);
  absl::Status pace(size_t bytes);
  bool sleep(Duration time);
  void count(uint64_t bytes);

  lake::Lake& lake_;
  const state::Database& database_;
  os::FileSystem& files_;
  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable stopping_;
  bool stopped_ = false;
  Counters counters_;
  std::map<std::string, absl::Status> damaged_;
  std::thread thread_;
};

}  // namespace kehu::engine
