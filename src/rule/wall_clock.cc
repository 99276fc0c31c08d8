#include "rule/wall_clock.h"

#include "absl/time/civil_time.h"
#include "base/check.h"
#include "base/text.h"

namespace kehu::rule {
namespace {

constexpr Duration kDay = Duration::days(1);

bool has_change(CivilDay day, const BusinessZone& zone) {
  return zone.start_of(day.next()) - zone.start_of(day) != kDay;
}

absl::TimeZone table_of(const BusinessZone& zone) {
  absl::TimeZone table;
  KEHU_CHECK(absl::LoadTimeZone(to_absl(zone.name()), &table));
  return table;
}

}  // namespace

// Only on the few days with a change of clocks is the time of day something else than what has gone by since
// the day began; only then is the table of the zone asked, which costs a look-up by name.
Duration time_of_day(Instant t, const BusinessZone& zone) {
  const CivilDay day = zone.day_of(t);
  if (!has_change(day, zone)) return t - zone.start_of(day);
  const auto shown = table_of(zone).At(absl::FromUnixMicros(t.micros()));
  const int64_t seconds = shown.cs - absl::CivilSecond(civil(day));
  return Duration(seconds * 1'000'000 + absl::ToInt64Microseconds(shown.subsecond));
}

Instant at(CivilDay day, Duration time_of_day, const BusinessZone& zone) {
  if (!has_change(day, zone)) return zone.start_of(day) + time_of_day;
  const int64_t seconds = time_of_day.micros() / 1'000'000;
  const auto found = table_of(zone).At(absl::CivilSecond(civil(day)) + seconds);
  if (found.kind == absl::TimeZone::TimeInfo::SKIPPED) return Instant(absl::ToUnixMicros(found.trans));
  return Instant(absl::ToUnixMicros(found.pre) + time_of_day.micros() % 1'000'000);
}

int hour_of(Instant t, const BusinessZone& zone) {
  return static_cast<int>(time_of_day(t, zone).micros() / Duration::hours(1).micros());
}

int weekday_of(Instant t, const BusinessZone& zone) {
  return 1 + static_cast<int>(absl::GetWeekday(civil(zone.day_of(t))));  // Abseil's Monday is 0
}

}  // namespace kehu::rule
