#pragma once

#include <optional>

#include "base/civil_day.h"
#include "base/time.h"
#include "measure/measurements.h"
#include "rule/window.h"

// When what is measured of all customers is measured again.
namespace kehu::survey {

// At once what never was; then behind each midnight of the zone, also one that passed while nobody was there;
// while nothing is known of anybody, each minute. A measurement of tomorrow, by a clock that was ahead, does
// not count.
bool is_due(const std::optional<measure::Taken>& last, const BusinessZone& zone, Instant now);
// The same of statements, which are run every hour of UTC or every day of the zone, and also over nobody.
Instant next_run(const std::optional<measure::Taken>& last, rule::Unit every, const BusinessZone& zone,
                 Instant now);
// The first moment at which it is; not before `now`.
Instant next_due(const std::optional<measure::Taken>& last, const BusinessZone& zone, Instant now);

}  // namespace kehu::survey
