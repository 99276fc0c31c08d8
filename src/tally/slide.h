#pragma once

#include "base/civil_day.h"
#include "base/time.h"
#include "rule/window.h"

namespace kehu::tally {

// When a moment that is in the window now is in it no more, if nothing happens: the first moment at which
// extent() begins behind its granule, or for windows with an end, at which they move on. kLastInstant: never.
Instant leaves(const rule::Window& window, Instant t, Instant now, const BusinessZone& zone);

}  // namespace kehu::tally
