#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "delta/actions.h"
#include "os/file_system.h"

// The files of a `_delta_log` directory: their names, and the checksums that Kehu puts where Delta leaves
// room for a writer's own fields (docs/formats/lake.md). Files that others wrote have none.
namespace kehu::delta {

struct LogName {
  int64_t version = 0;
  bool checkpoint = false;
};
std::optional<LogName> parse_log_name(std::string_view name);
std::string version_name(int64_t version);     // 00000000000000000020.json
std::string checkpoint_name(int64_t version);  // 00000000000000000020.checkpoint.parquet
inline constexpr char kPointerName[] = "_last_checkpoint";

// What the bytes of a checkpoint file must be. Another size means that another writer replaced it.
struct CheckpointMark {
  int64_t version = 0;
  uint64_t bytes = 0;
  uint32_t checksum = 0;
};

// What a file says of others.
struct LogMarks {
  bool sealed = false;               // it carries its own checksum
  std::optional<uint32_t> previous;  // CRC-32C of all bytes of the version before
  std::optional<CheckpointMark> checkpoint;
};

// All bytes of a version: a commitInfo with the checksums, then the lines of `actions`.
std::string version_text(const CommitInfo& info, const LogMarks& marks, std::string_view actions);
// All bytes of _last_checkpoint.
struct CheckpointPointer {
  CheckpointMark mark;
  size_t actions = 0;
  size_t files = 0;
};
std::string pointer_text(const CheckpointPointer& pointer);

// Of either; not sealed when another writer or an older Kehu wrote it. DataLoss when a sealed file has other
// bytes than it was written with.
absl::StatusOr<LogMarks> read_marks(std::string_view text);

// DataLoss when the file has the marked size and other bytes.
absl::Status verify_checkpoint(os::FileSystem& files, const std::string& path, const CheckpointMark& mark);

}  // namespace kehu::delta
