#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "lake/tables.h"
#include "model/ids.h"
#include "os/file_system.h"

namespace kehu::lake {

struct CheckOptions {
  std::string directory;       // DIR/lake
  std::string temp_directory;  // Kehu's alone; for comparing more rows than fit in memory
  os::FileSystem* files = nullptr;
};

struct CheckReport {
  std::vector<std::string> problems;  // for the operator; each names its file; at most kCheckProblemsMax
  PerTable<Sequence> positions;       // each table holds every row up to its own
  uint64_t files = 0;     // data files read, those that left the tables but are still there included
  uint64_t bytes = 0;     // of them
  uint64_t unmarked = 0;  // files of any kind that have no checksum, because Kehu did not write them
};
inline constexpr size_t kCheckProblemsMax = 1000;

// Reads every byte of the tables and compares it with the checksum it was written with; of data files without
// one, decodes every value. Finds rows that are there twice. Changes nothing. An error only when a directory
// cannot be read at all. ~1 GB/s beyond reading.
absl::StatusOr<CheckReport> check(const CheckOptions& options);

}  // namespace kehu::lake
