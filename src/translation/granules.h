#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "base/civil_day.h"
#include "rule/tree.h"
#include "rule/window.h"

namespace kehu::translation {

// Events, or the numbers of a path of theirs, to be counted and added up for each granule of time.
struct Counting {
  rule::Node events = {};  // kEvents, checked
  std::string path = {};   // empty: the events themselves
  std::optional<rule::Extent> period = {};
  rule::Granule granule = rule::Granule::kNone;
  BusinessZone zone = {};
};

// A SELECT of the columns below, a row for each part and granule that has one. `events` is a select in
// parentheses with the columns of Question::events and part.
//   part VARCHAR, granule BIGINT (rule/window.h), count BIGINT, sum HUGEINT and least and greatest BIGINT in
//   units of 10^-4 (0 without a path), first and last BIGINT in microseconds
absl::StatusOr<std::string> translate(const Counting& counting, const std::string& events);

}  // namespace kehu::translation
