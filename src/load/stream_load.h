#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "base/time.h"

namespace kehu::load {

// Appends the events of one message to `out` and returns how many they are.
using NextMessage = std::function<size_t(std::string& out)>;

struct StreamLoadOptions {
  uint16_t port = 0;
  std::string path;  // with the write key
  int connections = 4;
  Duration length;
  size_t unacknowledged_max = 1 << 20;  // bytes under way on a connection
};

struct StreamLoadResult {
  uint64_t events = 0;    // acknowledged as new
  uint64_t messages = 0;  // acknowledged
  uint64_t failures = 0;  // events that were not accepted
  double seconds = 0;
};

// Sends events over WebSockets to a server on this machine, one thread, and waits until all are acknowledged.
absl::StatusOr<StreamLoadResult> run_stream_load(const StreamLoadOptions& options, const NextMessage& next);

}  // namespace kehu::load
