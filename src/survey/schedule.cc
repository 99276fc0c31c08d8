#include "survey/schedule.h"

#include <algorithm>

namespace kehu::survey {
namespace {

constexpr Duration kPauseWithNobody = Duration::minutes(1);
constexpr Duration kClockSlack = Duration::hours(1);

}  // namespace

Instant next_due(const std::optional<measure::Taken>& last, const BusinessZone& zone, Instant now) {
  if (!last || last->as_of > now + kClockSlack) return now;
  if (last->customers == 0) return std::max(now, last->as_of + kPauseWithNobody);
  return std::max(now, zone.start_of(zone.day_of(last->as_of).next()));
}

Instant next_run(const std::optional<measure::Taken>& last, rule::Unit every, const BusinessZone& zone,
                 Instant now) {
  if (!last || last->as_of > now + kClockSlack) return now;
  const int64_t hour = Duration::hours(1).micros();
  const Instant next = every == rule::Unit::kHour ? Instant((last->as_of.micros() / hour + 1) * hour)
                                                  : zone.start_of(zone.day_of(last->as_of).next());
  return std::max(now, next);
}

bool is_due(const std::optional<measure::Taken>& last, const BusinessZone& zone, Instant now) {
  return next_due(last, zone, now) <= now;
}

}  // namespace kehu::survey
