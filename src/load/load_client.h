#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/time.h"

namespace kehu::load {

// Writes one whole HTTP request to `out` (replacing it) and returns how many events it carries; 0 ends the
// load.
using NextRequest = std::function<size_t(std::string& out)>;

struct LoadOptions {
  uint16_t port = 0;
  int connections = 16;
  Duration length;
  // > 0: an open loop that starts this many requests per second, whatever the answers do; 0: a closed loop,
  // each connection sends again as soon as it is answered.
  double requests_per_second = 0;
};

struct LoadResult {
  uint64_t requests = 0;  // answered 200
  uint64_t events = 0;
  uint64_t failures = 0;  // answered anything else
  double seconds = 0;
  std::vector<int64_t> ack_micros;  // of each request, sorted
};

// Sends requests to a server on this machine over a number of connections, one thread, and measures the
// answers.
absl::StatusOr<LoadResult> run_load(const LoadOptions& options, const NextRequest& next);

// The value below which `part` of the sorted values lie; 0 when there are none.
int64_t percentile(const std::vector<int64_t>& sorted, double part);

}  // namespace kehu::load
