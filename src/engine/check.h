#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/words.h"
#include "lake/check.h"
#include "log/check.h"
#include "model/ids.h"
#include "os/file_system.h"
#include "replica/replica.h"

namespace kehu::engine {

struct CheckReport {
  struct Finding {
    std::string where;  // log, state, lake
    std::string what;   // for the operator
  };
  std::vector<Finding> findings;
  log::CheckReport log;
  lake::CheckReport lake;
  Sequence state_position;
  std::optional<ArchiveNeeds> archive_needs = {};
  uint64_t customers = 0;

  void add(std::string_view where, const absl::Status& status);
};
inline constexpr size_t kFindingsMax = 1000;

// Reads everything in a data directory that nobody has open, compares it with its checksums, decodes every
// customer, and compares the positions of log, state and lake. Repairs nothing. An error when the directory
// cannot be opened: its FORMAT or its key is wrong, or somebody has it open.
//
// After an orderly stop any flipped bit is found but for those that nothing depends on: bytes of a log
// segment behind its last batch, and files that are yet to be removed (docs/formats/data-directory.md).
absl::StatusOr<CheckReport> check(os::FileSystem& files, const std::string& path);

}  // namespace kehu::engine
