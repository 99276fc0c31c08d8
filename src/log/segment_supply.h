#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "log/segment.h"
#include "os/file_system.h"

namespace kehu::log {

struct SegmentFile {
  SegmentNumber number;
  uint64_t bytes = 0;
};

// What a new segment is made of.
struct SegmentOrder {
  std::string directory;
  SegmentFile wanted;
  std::vector<SegmentFile> retired;  // oldest first; one of them is recycled, the others are removed
};

// Gets a segment ready to be written: under its name, of its full size, and its name durable (a few ms). A
// file that is already there under that name is taken as it is; else a retired segment is renamed; else there
// is a new file, which is then filled with zeros at 32 MiB a second, or as far as it gets until `needed` says
// stop. ResourceExhausted, and nothing but litter, when the disk is full; it may be called again. Any other
// error is final.
absl::StatusOr<std::unique_ptr<os::File>> prepare_segment(os::FileSystem& files, const SegmentOrder& order,
                                                          const std::stop_token& needed);

}  // namespace kehu::log
