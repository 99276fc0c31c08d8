#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/hash.h"
#include "log/position.h"
#include "os/file_system.h"

namespace kehu::log {

// The part of a message's identity that the duplicate filter compares.
struct MessageKey {
  uint64_t low = 0;   // of the message key
  uint32_t high = 0;  // the upper half of the message key's high word
  uint32_t body = 0;  // the lower half of the body hash
};
static_assert(sizeof(MessageKey) == 16);

// The message keys of one sealed segment, in log order: docs/formats/log.md. A cache: a missing or damaged
// one is made anew from the segment.
absl::Status write_sidecar(os::FileSystem& files, const std::string& directory, SegmentNumber number,
                           const std::vector<MessageKey>& keys);
// NotFound when there is none, DataLoss when it is damaged.
absl::StatusOr<std::vector<MessageKey>> read_sidecar(os::FileSystem& files, const std::string& directory,
                                                     SegmentNumber number);

}  // namespace kehu::log
