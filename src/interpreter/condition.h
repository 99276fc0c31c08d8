#pragma once

#include "absl/time/civil_time.h"
#include "interpreter/asked.h"

// Conditions: and, or, not, comparisons, and what looks at one value or two.
namespace kehu::interpreter {

// Of an operator that is_condition().
bool condition_holds(const rule::Node& condition, const Asked& asked, const Event* event);

absl::CivilDay civil_day(Instant t, const BusinessZone& zone);
// The day of the year in another one: 28 February of those without the 29th.
absl::CivilDay birthday_in(absl::civil_year_t year, absl::CivilDay born);

}  // namespace kehu::interpreter
