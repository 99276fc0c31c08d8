#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "log/position.h"
#include "os/file_system.h"

// The files of a log directory: docs/formats/log.md.
namespace kehu::log {

std::string segment_path(const std::string& directory, SegmentNumber number);  // 0000000001.log
std::string sidecar_path(const std::string& directory, SegmentNumber number);  // 0000000001.keys
std::string scratch_path(const std::string& directory);                        // next.tmp
std::string closed_mark_path(const std::string& directory);                    // closed

// The numbers of the segment files, ascending; empty for a missing directory.
absl::StatusOr<std::vector<SegmentNumber>> list_segments(os::FileSystem& files, const std::string& directory);
absl::StatusOr<std::vector<SegmentNumber>> list_sidecars(os::FileSystem& files, const std::string& directory);

}  // namespace kehu::log
