#include "survey/schedule.h"

#include <gtest/gtest.h>

namespace kehu::survey {
namespace {

constexpr std::string_view kNow = "2026-03-10T12:00:00+08:00";

struct Case {
  const char* name;
  const char* last;  // empty: never
  uint64_t customers;
  const char* next;  // in Shanghai
};

TEST(Schedule, MeasuresBehindEachMidnight) {
  constexpr Case kCases[] = {
      {"never", "", 0, "2026-03-10T12:00:00+08:00"},
      {"this morning", "2026-03-10T00:00:05+08:00", 7, "2026-03-11T00:00:00+08:00"},
      {"at midnight", "2026-03-10T00:00:00+08:00", 7, "2026-03-11T00:00:00+08:00"},
      {"yesterday", "2026-03-09T23:59:59+08:00", 7, "2026-03-10T12:00:00+08:00"},
      {"behind a day of downtime", "2026-03-08T00:00:05+08:00", 7, "2026-03-10T12:00:00+08:00"},
      {"of nobody, just now", "2026-03-10T11:59:30+08:00", 0, "2026-03-10T12:00:30+08:00"},
      {"of nobody, before", "2026-03-10T11:00:00+08:00", 0, "2026-03-10T12:00:00+08:00"},
      {"by a clock a little ahead", "2026-03-10T12:00:30+08:00", 7, "2026-03-11T00:00:00+08:00"},
      {"by a clock a year ahead", "2027-03-10T12:00:00+08:00", 7, "2026-03-10T12:00:00+08:00"},
  };
  const BusinessZone zone = *BusinessZone::load("Asia/Shanghai");
  const Instant now = *parse_iso8601(kNow);
  for (const Case& c : kCases) {
    std::optional<measure::Taken> last;
    if (*c.last != '\0') last = {*parse_iso8601(c.last), Duration(), c.customers};
    const Instant next = next_due(last, zone, now);
    EXPECT_EQ(zone.format(next), zone.format(*parse_iso8601(c.next))) << c.name;
    EXPECT_EQ(is_due(last, zone, now), next == now) << c.name;
    EXPECT_TRUE(is_due(last, zone, std::max(now, next))) << c.name;
  }
}

TEST(Schedule, RunsStatementsEveryHourOrDay) {
  const BusinessZone zone = *BusinessZone::load("Asia/Shanghai");
  const Instant now = *parse_iso8601(kNow);
  const auto last = [](std::string_view text) {
    return std::optional(measure::Taken{*parse_iso8601(text), Duration(), 0});
  };
  EXPECT_EQ(next_run(std::nullopt, rule::Unit::kDay, zone, now), now);
  EXPECT_EQ(next_run(last("2026-03-10T00:00:05+08:00"), rule::Unit::kDay, zone, now),
            *parse_iso8601("2026-03-11T00:00:00+08:00"));
  EXPECT_EQ(next_run(last("2026-03-09T00:00:05+08:00"), rule::Unit::kDay, zone, now), now);
  EXPECT_EQ(next_run(last("2026-03-10T12:00:00+08:00"), rule::Unit::kHour, zone, now),
            *parse_iso8601("2026-03-10T13:00:00+08:00"));
  EXPECT_EQ(next_run(last("2026-03-10T10:59:00+08:00"), rule::Unit::kHour, zone, now), now);
}

}  // namespace
}  // namespace kehu::survey
