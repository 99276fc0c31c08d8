#pragma once

#include "absl/time/civil_time.h"
#include "base/civil_day.h"
#include "base/time.h"

// What the clock on the wall shows in a rule's zone.
namespace kehu::rule {

// Since midnight of the civil day that the moment lies in: 0 up to 24 hours.
Duration time_of_day(Instant t, const BusinessZone& zone);

// When the clock shows this on that day: the first time, where it does so twice; the change of clocks, where
// it never does.
Instant at(CivilDay day, Duration time_of_day, const BusinessZone& zone);

// As a date.
inline absl::CivilDay civil(CivilDay day) { return absl::CivilDay(1970, 1, 1) + day.value(); }

// 0 to 23, and 1 (Monday) to 7.
int hour_of(Instant t, const BusinessZone& zone);
int weekday_of(Instant t, const BusinessZone& zone);

}  // namespace kehu::rule
