#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

// Load for a server on this machine, and what it makes of it.
namespace kehu::load {

struct BenchCommand {
  std::string data;         // empty: a directory under the temporary one, removed behind
  uint64_t seconds = 5;     // of each measurement
  uint64_t rate = 100'000;  // events a second of the measurement of latency
  uint32_t customers = 1'000'000;
  uint64_t memory_customers = 1'000'000;  // of the measurement of bytes per customer
  std::vector<std::string> only;
  bool json = false;
};
absl::Status run_bench(const BenchCommand& command);

}  // namespace kehu::load
