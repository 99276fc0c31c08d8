#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/money.h"
#include "base/time.h"
#include "model/ids.h"
#include "model/record.h"

namespace kehu::codec {

// What somebody has found out about all customers together, from the archive, so that every replay knows the
// same (docs/decisions/measured-rules.md).
struct Measurement {
  MeasurementKind kind = MeasurementKind::kCuts;
  std::string_view key;    // what was measured
  Instant as_of;           // of this moment
  Duration took;           // how long that took
  uint64_t customers = 0;  // of how many something was known
  // Of kCuts: where the hundredths begin, in units of 10^-4 (rule/percentile.h); none when nothing is known.
  std::vector<Sum> cuts = {};

  // Of kValues: those for whom something is other than before, in several records. Only the last one says how
  // long it took and how many customers have a value.
  struct Entry {
    CustomerId customer;
    std::string_view value;  // tally/end_values.h; empty: none any more
  };
  std::vector<Entry> entries = {};
  bool last = false;
  // Of kFailure: what went wrong.
  std::string_view error = {};
  // Of kAgreement: of how many of the customers both were equal.
  uint64_t agreed = 0;
};
void append_measurement(const Measurement& measurement, std::string& out);
// Views into `bytes`.
absl::StatusOr<Measurement> decode_measurement(std::string_view bytes);

}  // namespace kehu::codec
