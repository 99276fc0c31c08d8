#include "tally/slide.h"

#include <algorithm>

namespace kehu::tally {
namespace {

using rule::Granule;
using rule::Window;

// A window of months begins the day behind the same day so many months ago, and months differ: the first day
// on which it has moved past t's is looked for near where it must be.
Instant leaves_months(const Window& window, Instant t, const BusinessZone& zone) {
  const CivilDay day = zone.day_of(t);
  const CivilDay about = zone.day_of(rule::plus(zone.start_of(day), window.span, zone));
  for (CivilDay at(about.value() - 4);; at = at.next()) {
    const Instant begin = zone.start_of(at);
    if (rule::extent(window, begin, zone).from > t) return begin;
  }
}

}  // namespace

Instant leaves(const Window& window, Instant t, Instant now, const BusinessZone& zone) {
  switch (window.kind) {
    case Window::Kind::kEver:
    case Window::Kind::kSince:
    case Window::Kind::kBetween:
      return kLastInstant;
    case Window::Kind::kLast: {
      const auto granules = rule::granules(window);
      if (!granules) return leaves_months(window, t, zone);
      const Granule granule = rule::granule(window);
      return std::max(rule::start_of(rule::granule_of(t, granule, zone) + *granules, granule, zone), now);
    }
    default:
      return rule::next_edge(window, now, zone);
  }
}

}  // namespace kehu::tally
