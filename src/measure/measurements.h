#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "base/time.h"
#include "codec/measurement.h"
#include "rule/percentile.h"
#include "store/blob_store.h"

// What was last measured of all customers together: facts that rules are asked with, and that only records of
// the log change (docs/decisions/measured-rules.md).
namespace kehu::measure {

// When something was measured, and of how many customers.
struct Taken {
  Instant as_of;
  Duration took;
  uint64_t customers = 0;
};

struct MeasuredCuts {
  Taken taken;
  rule::Cuts cuts;  // empty: nobody's number was known
};

// What became of a statement.
struct MeasuredRun {
  std::optional<Taken> taken;  // by the last run that came to its end
  Instant failed_at;           // of the last run, if it failed
  std::string error;           // empty: it did not
};

// One owner thread; the store holds all state.
class Measurements {
 public:
  // Others use `store` for other keys.
  explicit Measurements(BlobStore& store) : store_(store) {}
  absl::Status load();

  // Whether cuts are other ones now than before.
  bool put(const codec::Measurement& measurement);
  // nullptr: never measured.
  const MeasuredCuts* cuts(std::string_view key) const;
  // What rules ask for; nullptr also if nothing was known.
  const rule::Cuts* known_cuts(std::string_view key) const;
  // nullptr: it never was run.
  const MeasuredRun* run(std::string_view key) const;
  // Forgets what no rule asks for.
  void keep_only(const std::function<bool(const std::string& key)>& asked);

 private:
  void save() const;

  BlobStore& store_;
  std::map<std::string, MeasuredCuts, std::less<>> cuts_;
  std::map<std::string, MeasuredRun, std::less<>> runs_;
};

}  // namespace kehu::measure
