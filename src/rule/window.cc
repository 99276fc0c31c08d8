#include "rule/window.h"

#include <algorithm>

#include "absl/time/civil_time.h"
#include "base/money.h"
#include "rule/wall_clock.h"

namespace kehu::rule {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;
// Behind every instant that there is, so that an open window contains the last one as well.
constexpr Instant kOpen = Instant(kLastInstant.micros() + 1);

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a % b < 0) != (b < 0)); }

Instant within_limits(Instant t) { return std::clamp(t, kFirstInstant, kLastInstant); }

CivilDay counted(absl::CivilDay day) {
  return CivilDay(static_cast<int32_t>(day - absl::CivilDay(1970, 1, 1)));
}

// 0 of units that are civil.
int64_t seconds_of(Unit unit) {
  switch (unit) {
    case Unit::kSecond:
      return 1;
    case Unit::kMinute:
      return 60;
    case Unit::kHour:
      return 3600;
    default:
      return 0;
  }
}

// 0 of units that are no months.
int64_t months_of(Unit unit) {
  switch (unit) {
    case Unit::kMonth:
      return 1;
    case Unit::kQuarter:
      return 3;
    case Unit::kYear:
      return 12;
    default:
      return 0;
  }
}

// No rule counts so far; the bound keeps products of counts within their types.
int64_t bounded(int64_t count) { return std::clamp<int64_t>(count, -1'000'000, 1'000'000); }

int64_t seconds_of(Granule granule) {
  switch (granule) {
    case Granule::kSecond:
      return 1;
    case Granule::kMinute:
      return 60;
    default:
      return 3600;
  }
}

// The same day of another month, or that month's last.
absl::CivilDay months_later(absl::CivilDay day, int64_t months) {
  const absl::CivilMonth month = absl::CivilMonth(day) + months;
  const absl::CivilDay last = absl::CivilDay(month + 1) - 1;
  return std::min(absl::CivilDay(month) + (day.day() - 1), last);
}

absl::CivilDay later(absl::CivilDay day, Span span) {
  const int64_t count = bounded(span.count);
  if (months_of(span.unit) > 0) return months_later(day, count * months_of(span.unit));
  return day + count * (span.unit == Unit::kWeek ? 7 : 1);
}

// The beginning of the week, month, quarter or year that a day lies in.
absl::CivilDay beginning(absl::CivilDay day, Unit unit) {
  switch (unit) {
    case Unit::kWeek:
      return day - static_cast<int>(absl::GetWeekday(day));  // Monday is 0
    case Unit::kMonth:
      return absl::CivilDay(absl::CivilMonth(day));
    case Unit::kQuarter:
      return absl::CivilDay(day.year(), (day.month() - 1) / 3 * 3 + 1, 1);
    case Unit::kYear:
      return absl::CivilDay(absl::CivilYear(day));
    default:
      return day;
  }
}

Instant start_of(absl::CivilDay day, const BusinessZone& zone) {
  return within_limits(zone.start_of(counted(day)));
}

Extent days(absl::CivilDay from, absl::CivilDay to, const BusinessZone& zone) {
  return {start_of(from, zone), start_of(to, zone)};
}

// The first day of "last n days" and longer.
absl::CivilDay first_day(Span span, absl::CivilDay today) {
  return later(today, {-bounded(span.count), span.unit}) + 1;
}

Extent last(const Window& window, Instant now, const BusinessZone& zone) {
  if (const auto count = granules(window)) {
    // By far the most windows: without a calendar.
    const Granule size = granule(window);
    const int64_t first = granule_of(now, size, zone) - (*count - 1);
    return {within_limits(start_of(first, size, zone)), kOpen};
  }
  return {start_of(first_day(window.span, civil(zone.day_of(now))), zone), kOpen};
}

// The last day of a month is the same for several days of a longer one behind it, so a window of months
// may stand still for up to three days.
Instant next_day_edge(const Window& window, Instant now, const BusinessZone& zone) {
  const absl::CivilDay today = civil(zone.day_of(now));
  absl::CivilDay next = today + 1;
  while (first_day(window.span, next) == first_day(window.span, today)) ++next;
  return start_of(next, zone);
}

}  // namespace

// What is longer than its unit's bound is counted in the next coarser granule and rounded up to whole ones,
// so that no window has more than some thousand.
Granule granule(const Window& window) {
  switch (window.kind) {
    case Window::Kind::kEver:
    case Window::Kind::kSince:
    case Window::Kind::kBetween:
      return Granule::kNone;
    case Window::Kind::kLast:
      break;
    default:
      return Granule::kDay;
  }
  const int64_t seconds = bounded(window.span.count) * seconds_of(window.span.unit);
  if (seconds_of(window.span.unit) == 0) return Granule::kDay;
  if (seconds <= 15 * 60) return Granule::kSecond;
  return seconds <= 24 * 3600 ? Granule::kMinute : Granule::kHour;
}

std::optional<int64_t> granules(const Window& window) {
  if (window.kind != Window::Kind::kLast || months_of(window.span.unit) > 0) return std::nullopt;
  const int64_t count = bounded(window.span.count);
  if (granule(window) == Granule::kDay) return count * (window.span.unit == Unit::kWeek ? 7 : 1);
  return -floor_div(-count * seconds_of(window.span.unit), seconds_of(granule(window)));
}

int64_t granule_of(Instant t, Granule granule, const BusinessZone& zone) {
  if (granule == Granule::kNone) return 0;
  if (granule == Granule::kDay) return zone.day_of(t).value();
  return floor_div(t.micros(), seconds_of(granule) * kMicrosPerSecond);
}

Instant start_of(int64_t number, Granule granule, const BusinessZone& zone) {
  if (granule == Granule::kNone) return kFirstInstant;
  if (granule == Granule::kDay) return zone.start_of(CivilDay(static_cast<int32_t>(number)));
  return Instant(number * seconds_of(granule) * kMicrosPerSecond);
}

// The calendar costs more than all else here: who does not need to know today's date does not ask for it.
Extent extent(const Window& window, Instant now, const BusinessZone& zone) {
  const auto today = [&] { return civil(zone.day_of(now)); };
  const auto since = [&] { return beginning(today(), window.span.unit); };
  switch (window.kind) {
    case Window::Kind::kEver:
      break;
    case Window::Kind::kLast:
      return last(window, now, zone);
    case Window::Kind::kToday:
      return days(today(), today() + 1, zone);
    case Window::Kind::kYesterday:
      return days(today() - 1, today(), zone);
    case Window::Kind::kThis:
      return days(since(), later(since(), {1, window.span.unit}), zone);
    case Window::Kind::kPrevious:
      return days(later(since(), {-1, window.span.unit}), since(), zone);
    case Window::Kind::kSince:
      return {start_of(civil(window.from), zone), kOpen};
    case Window::Kind::kBetween:
      return days(civil(window.from), civil(window.to) + 1, zone);
  }
  return {kFirstInstant, kOpen};
}

Instant next_edge(const Window& window, Instant now, const BusinessZone& zone) {
  const Granule size = granule(window);
  if (size == Granule::kNone) return kLastInstant;
  if (size != Granule::kDay) return within_limits(start_of(granule_of(now, size, zone) + 1, size, zone));
  if (window.kind == Window::Kind::kLast) return next_day_edge(window, now, zone);
  const bool period = window.kind == Window::Kind::kThis || window.kind == Window::Kind::kPrevious;
  const Unit unit = period ? window.span.unit : Unit::kDay;
  const absl::CivilDay today = civil(zone.day_of(now));
  return start_of(later(beginning(today, unit), {1, unit}), zone);
}

Instant plus(Instant t, Span span, const BusinessZone& zone) {
  if (const int64_t seconds = seconds_of(span.unit); seconds > 0) {
    const Sum micros = Sum{span.count} * seconds * kMicrosPerSecond + t.micros();
    return Instant(
        static_cast<int64_t>(std::clamp<Sum>(micros, kFirstInstant.micros(), kLastInstant.micros())));
  }
  const absl::CivilDay day = later(civil(zone.day_of(t)), span);
  return within_limits(at(counted(day), time_of_day(t, zone), zone));
}

}  // namespace kehu::rule
