#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "log/position.h"
#include "model/ids.h"
#include "os/file_system.h"

namespace kehu::log {

// Left by an orderly close: where the log ended. It makes damage of the very last batch visible, which after
// a crash cannot be told from a batch that was never finished.
struct ClosedMark {
  uint64_t log_id = 0;
  Sequence next;
  Position end;
  uint32_t chain = 0;
};

absl::Status write_closed_mark(os::FileSystem& files, const std::string& directory, const ClosedMark& mark);
// nullopt when there is none, DataLoss when it is damaged.
absl::StatusOr<std::optional<ClosedMark>> read_closed_mark(os::FileSystem& files,
                                                           const std::string& directory);
absl::Status remove_closed_mark(os::FileSystem& files, const std::string& directory);

}  // namespace kehu::log
