#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/ids.h"

namespace kehu::delta {

// A live data file of a table, as its Delta log describes it.
struct DataFile {
  std::string path;       // absolute
  std::string partition;  // month of the business day, "2026-11"; empty in tables without partitions
  uint64_t size = 0;
  uint64_t rows = 0;               // 0: unknown (an outside writer's file without statistics)
  int64_t first_time = INT64_MIN;  // micros, inclusive bounds of `time`; the widest when unknown
  int64_t last_time = INT64_MAX;
  Sequence last_sequence{UINT64_MAX};  // of its rows; the greatest when unknown
  std::optional<uint32_t> checksum;    // CRC-32C of its bytes, unless another writer made it
  // This process wrote it, or found that it holds the bytes it was written with (file_check.h).
  mutable std::atomic<bool> sound{false};
};

// The files of one version of a table. Immutable.
struct FileSet {
  uint64_t id = 0;  // differs between any two file sets of this process
  uint64_t version = 0;
  std::vector<std::shared_ptr<const DataFile>> files;
};

}  // namespace kehu::delta
