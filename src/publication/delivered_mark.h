#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/ids.h"
#include "os/file_system.h"

// What happens here told to the outside: each topic follows the log, and remembers how far it has got.
namespace kehu::publication {

// Everything up to `position` is in `topic`: a file of the data directory, publications/NAME.events or
// NAME.changes (docs/formats/data-directory.md). Written atomically, two syncs.
struct DeliveredMark {
  std::string topic;
  Sequence position;
};

std::string marks_directory(const std::string& data_directory);
// The directory must be there.
absl::Status write_mark(os::FileSystem& files, const std::string& path, const DeliveredMark& mark);
// nullopt when there is none, DataLoss when it is damaged.
absl::StatusOr<std::optional<DeliveredMark>> read_mark(os::FileSystem& files, const std::string& path);
// For `kehu check`: OK when each mark of the directory can be read, and is not beyond a log that ends before
// `end`.
absl::Status check_marks(os::FileSystem& files, const std::string& data_directory, Sequence end);

}  // namespace kehu::publication
