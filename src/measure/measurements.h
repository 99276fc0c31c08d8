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

// How a source's values of a trait compared with own facts, and what followed.
struct MeasuredCheck {
  struct Point {
    Instant as_of;
    uint64_t compared = 0;
    uint64_t agreed = 0;

    double share() const {
      return compared == 0 ? 0 : static_cast<double>(agreed) / static_cast<double>(compared);
    }
  };
  static constexpr size_t kPoints = 400;
  static constexpr uint64_t kComparedLeast = 100;  // of fewer nothing follows
  static constexpr int64_t kHysteresis = 2;        // hundredths above the least share for values to come back

  std::vector<Point> points;  // the last kPoints, the newest last; never empty
  Duration took;              // of the newest
  bool quarantined = false;   // rules take the source's values for unknown
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
  // Whether values are quarantined now that were not, or the other way round.
  bool put_check(const codec::Measurement& measurement, Decimal least);
  // nullptr: never measured.
  const MeasuredCheck* check(std::string_view key) const;
  // Forgets the checks that are no more.
  void keep_checks(const std::function<bool(const std::string& key)>& asked);
  // Forgets what no rule asks for.
  void keep_only(const std::function<bool(const std::string& key)>& asked);

 private:
  void save() const;

  BlobStore& store_;
  std::map<std::string, MeasuredCuts, std::less<>> cuts_;
  std::map<std::string, MeasuredRun, std::less<>> runs_;
  std::map<std::string, MeasuredCheck, std::less<>> checks_;
};

}  // namespace kehu::measure
