#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/time.h"
#include "os/file_system.h"

namespace kehu::directory {

// demo.json in a data directory that `kehu demo` made: where its retailer began. Message ids follow from it,
// so a later start recognises what is there and goes on.
struct DemoFile {
  uint64_t seed = 0;
  uint32_t customers = 0;
  Instant start;
  int days = 0;
};

// nullopt when the directory is no demo's.
absl::StatusOr<std::optional<DemoFile>> read_demo_file(os::FileSystem& files, const std::string& directory);
absl::Status write_demo_file(os::FileSystem& files, const std::string& directory, const DemoFile& demo);

}  // namespace kehu::directory
