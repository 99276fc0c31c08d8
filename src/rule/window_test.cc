#include "rule/window.h"

#include <gtest/gtest.h>

#include <random>

#include "absl/time/civil_time.h"
#include "base/test_rounds.h"
#include "base/text.h"
#include "rule/wall_clock.h"

namespace kehu::rule {
namespace {

using Kind = Window::Kind;
constexpr std::string_view kZones[] = {"UTC", "America/New_York", "Europe/Berlin", "Asia/Shanghai",
                                       "Australia/Lord_Howe"};

BusinessZone zone_of(std::string_view name) { return *BusinessZone::load(name); }
Instant at_utc(std::string_view text) { return *parse_iso8601(text); }
CivilDay date(std::string_view text) { return BusinessZone().day_of(at_utc(text)); }

Window last(int64_t count, Unit unit) { return {Kind::kLast, {count, unit}, {}, {}}; }
Window of(Kind kind, Unit unit = Unit::kDay) { return {kind, {0, unit}, {}, {}}; }

std::string shown(Instant t, const BusinessZone& zone) { return t > kLastInstant ? "open" : zone.format(t); }

struct ExtentCase {
  std::string_view name;
  Window window;
  std::string_view zone;
  std::string_view now;
  std::string_view from;
  std::string_view to;
};

TEST(Window, Extent) {
  const Window since{Kind::kSince, {}, date("2026-01-31"), {}};
  const Window between{Kind::kBetween, {}, date("2026-03-28"), date("2026-03-29")};
  const ExtentCase cases[] = {
      {"15 minutes by the second", last(15, Unit::kMinute), "Asia/Shanghai", "2026-11-22T10:00:30.999+08:00",
       "2026-11-22T09:45:31.000+08:00", "open"},
      {"16 minutes by the minute", last(16, Unit::kMinute), "Asia/Shanghai", "2026-11-22T10:00:30.999+08:00",
       "2026-11-22T09:45:00.000+08:00", "open"},
      {"a second", last(1, Unit::kSecond), "UTC", "2026-11-22T10:00:30.999Z", "2026-11-22T10:00:30.000+00:00",
       "open"},
      {"900 seconds as 15 minutes", last(900, Unit::kSecond), "UTC", "2026-11-22T10:00:30.999Z",
       "2026-11-22T09:45:31.000+00:00", "open"},
      {"901 seconds as 16 minutes", last(901, Unit::kSecond), "UTC", "2026-11-22T10:00:30.999Z",
       "2026-11-22T09:45:00.000+00:00", "open"},
      {"an hour by the minute", last(1, Unit::kHour), "UTC", "2026-11-22T10:00:30Z",
       "2026-11-22T09:01:00.000+00:00", "open"},
      {"24 hours by the minute", last(24, Unit::kHour), "UTC", "2026-11-22T10:00:30Z",
       "2026-11-21T10:01:00.000+00:00", "open"},
      {"25 hours by the hour", last(25, Unit::kHour), "UTC", "2026-11-22T10:00:30Z",
       "2026-11-21T10:00:00.000+00:00", "open"},
      {"1441 minutes as 25 hours", last(1441, Unit::kMinute), "UTC", "2026-11-22T10:00:30Z",
       "2026-11-21T10:00:00.000+00:00", "open"},
      {"hours of UTC beside a half hour", last(48, Unit::kHour), "Australia/Lord_Howe",
       "2026-07-02T10:40:00+10:30", "2026-06-30T11:30:00.000+10:30", "open"},
      {"hours do not mind a change of clocks", last(2, Unit::kHour), "Europe/Berlin",
       "2026-03-29T03:30:00+02:00", "2026-03-29T00:31:00.000+01:00", "open"},
      {"one day is today", last(1, Unit::kDay), "Asia/Shanghai", "2026-11-22T00:00:00+08:00",
       "2026-11-22T00:00:00.000+08:00", "open"},
      {"a moment before midnight", last(1, Unit::kDay), "Asia/Shanghai", "2026-11-21T23:59:59.999+08:00",
       "2026-11-21T00:00:00.000+08:00", "open"},
      {"two days over a short one", last(2, Unit::kDay), "Europe/Berlin", "2026-03-30T12:00:00+02:00",
       "2026-03-29T00:00:00.000+01:00", "open"},
      {"two days over a long one", last(2, Unit::kDay), "America/New_York", "2026-11-02T12:00:00-05:00",
       "2026-11-01T00:00:00.000-04:00", "open"},
      {"30 days", last(30, Unit::kDay), "Asia/Shanghai", "2026-11-22T10:00:00+08:00",
       "2026-10-24T00:00:00.000+08:00", "open"},
      {"two weeks are 14 days", last(2, Unit::kWeek), "Asia/Shanghai", "2026-11-22T10:00:00+08:00",
       "2026-11-09T00:00:00.000+08:00", "open"},
      {"a month", last(1, Unit::kMonth), "UTC", "2026-11-22T10:00:00Z", "2026-10-23T00:00:00.000+00:00",
       "open"},
      {"a month behind the 31st", last(1, Unit::kMonth), "UTC", "2026-03-31T10:00:00Z",
       "2026-03-01T00:00:00.000+00:00", "open"},
      {"a month behind the 31st of a leap year", last(1, Unit::kMonth), "UTC", "2028-03-31T10:00:00Z",
       "2028-03-01T00:00:00.000+00:00", "open"},
      {"a month behind the last of February", last(1, Unit::kMonth), "UTC", "2026-02-28T10:00:00Z",
       "2026-01-29T00:00:00.000+00:00", "open"},
      {"a quarter", last(1, Unit::kQuarter), "UTC", "2026-05-31T10:00:00Z", "2026-03-01T00:00:00.000+00:00",
       "open"},
      {"a year on a leap day", last(1, Unit::kYear), "UTC", "2028-02-29T10:00:00Z",
       "2027-03-01T00:00:00.000+00:00", "open"},
      {"four years on a leap day", last(4, Unit::kYear), "UTC", "2028-02-29T10:00:00Z",
       "2024-03-01T00:00:00.000+00:00", "open"},
      {"today is short", of(Kind::kToday), "Europe/Berlin", "2026-03-29T12:00:00+02:00",
       "2026-03-29T00:00:00.000+01:00", "2026-03-30T00:00:00.000+02:00"},
      {"today has a change of half an hour", of(Kind::kToday), "Australia/Lord_Howe",
       "2026-04-05T12:00:00+10:30", "2026-04-05T00:00:00.000+11:00", "2026-04-06T00:00:00.000+10:30"},
      {"yesterday", of(Kind::kYesterday), "America/New_York", "2026-03-09T00:00:00-04:00",
       "2026-03-08T00:00:00.000-05:00", "2026-03-09T00:00:00.000-04:00"},
      {"a week begins on Monday", of(Kind::kThis, Unit::kWeek), "Asia/Shanghai", "2026-11-22T23:59:59+08:00",
       "2026-11-16T00:00:00.000+08:00", "2026-11-23T00:00:00.000+08:00"},
      {"and again on the next", of(Kind::kThis, Unit::kWeek), "Asia/Shanghai", "2026-11-23T00:00:00+08:00",
       "2026-11-23T00:00:00.000+08:00", "2026-11-30T00:00:00.000+08:00"},
      {"the previous week", of(Kind::kPrevious, Unit::kWeek), "Asia/Shanghai", "2026-11-22T10:00:00+08:00",
       "2026-11-09T00:00:00.000+08:00", "2026-11-16T00:00:00.000+08:00"},
      {"this month", of(Kind::kThis, Unit::kMonth), "UTC", "2028-02-29T10:00:00Z",
       "2028-02-01T00:00:00.000+00:00", "2028-03-01T00:00:00.000+00:00"},
      {"the previous month", of(Kind::kPrevious, Unit::kMonth), "UTC", "2026-01-31T10:00:00Z",
       "2025-12-01T00:00:00.000+00:00", "2026-01-01T00:00:00.000+00:00"},
      {"this quarter", of(Kind::kThis, Unit::kQuarter), "UTC", "2026-06-30T10:00:00Z",
       "2026-04-01T00:00:00.000+00:00", "2026-07-01T00:00:00.000+00:00"},
      {"the previous quarter", of(Kind::kPrevious, Unit::kQuarter), "UTC", "2026-02-01T10:00:00Z",
       "2025-10-01T00:00:00.000+00:00", "2026-01-01T00:00:00.000+00:00"},
      {"this year", of(Kind::kThis, Unit::kYear), "UTC", "2026-12-31T23:59:59Z",
       "2026-01-01T00:00:00.000+00:00", "2027-01-01T00:00:00.000+00:00"},
      {"the previous year", of(Kind::kPrevious, Unit::kYear), "UTC", "2026-02-01T10:00:00Z",
       "2025-01-01T00:00:00.000+00:00", "2026-01-01T00:00:00.000+00:00"},
      {"since a date", since, "Asia/Shanghai", "2026-11-22T10:00:00+08:00", "2026-01-31T00:00:00.000+08:00",
       "open"},
      {"both days of between", between, "Europe/Berlin", "2026-11-22T10:00:00Z",
       "2026-03-28T00:00:00.000+01:00", "2026-03-30T00:00:00.000+02:00"},
      {"ever", of(Kind::kEver), "UTC", "2026-11-22T10:00:00Z", "1900-01-01T00:00:00.000+00:00", "open"},
      {"not before the first instant", last(9999, Unit::kMonth), "UTC", "2026-11-22T10:00:00Z",
       "1900-01-01T00:00:00.000+00:00", "open"},
  };
  for (const ExtentCase& c : cases) {
    SCOPED_TRACE(c.name);
    const BusinessZone zone = zone_of(c.zone);
    const Extent got = extent(c.window, at_utc(c.now), zone);
    EXPECT_EQ(shown(got.from, zone), c.from);
    EXPECT_EQ(shown(got.to, zone), c.to);
  }
}

TEST(Window, OpenExtentsContainTheLastInstant) {
  const Extent open = extent(last(1, Unit::kDay), at_utc("2026-11-22"), BusinessZone());
  EXPECT_TRUE(open.contains(kLastInstant));
  EXPECT_TRUE(open.contains(open.from));
  EXPECT_FALSE(open.contains(open.from - Duration(1)));
}

TEST(Window, Granule) {
  struct Case {
    Window window;
    Granule want;
  };
  const Case cases[] = {
      {last(15, Unit::kMinute), Granule::kSecond},
      {last(16, Unit::kMinute), Granule::kMinute},
      {last(1440, Unit::kMinute), Granule::kMinute},
      {last(1441, Unit::kMinute), Granule::kHour},
      {last(24, Unit::kHour), Granule::kMinute},
      {last(25, Unit::kHour), Granule::kHour},
      {last(30, Unit::kSecond), Granule::kSecond},
      {last(1, Unit::kDay), Granule::kDay},
      {last(1, Unit::kYear), Granule::kDay},
      {of(Kind::kToday), Granule::kDay},
      {of(Kind::kYesterday), Granule::kDay},
      {of(Kind::kThis, Unit::kYear), Granule::kDay},
      {of(Kind::kPrevious), Granule::kDay},
      {of(Kind::kEver), Granule::kNone},
      {of(Kind::kSince), Granule::kNone},
      {of(Kind::kBetween), Granule::kNone},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(granule(c.window), c.want) << int(c.window.kind) << " " << c.window.span.count;
  }
}

TEST(Window, NextEdge) {
  struct Case {
    std::string_view name;
    Window window;
    std::string_view zone;
    std::string_view now;
    std::string_view want;
  };
  const Case cases[] = {
      {"a second", last(5, Unit::kMinute), "UTC", "2026-11-22T10:00:30.999Z",
       "2026-11-22T10:00:31.000+00:00"},
      {"not now", last(5, Unit::kMinute), "UTC", "2026-11-22T10:00:30Z", "2026-11-22T10:00:31.000+00:00"},
      {"a minute", last(5, Unit::kHour), "UTC", "2026-11-22T10:00:30Z", "2026-11-22T10:01:00.000+00:00"},
      {"an hour of UTC", last(50, Unit::kHour), "Australia/Lord_Howe", "2026-07-02T10:40:00+10:30",
       "2026-07-02T11:30:00.000+10:30"},
      {"a short day", last(5, Unit::kDay), "Europe/Berlin", "2026-03-29T00:00:00+01:00",
       "2026-03-30T00:00:00.000+02:00"},
      {"a month", last(1, Unit::kMonth), "UTC", "2026-11-22T10:00:00Z", "2026-11-23T00:00:00.000+00:00"},
      {"a month that stands still", last(1, Unit::kMonth), "UTC", "2026-03-28T10:00:00Z",
       "2026-04-01T00:00:00.000+00:00"},
      {"Monday", of(Kind::kThis, Unit::kWeek), "Asia/Shanghai", "2026-11-22T10:00:00+08:00",
       "2026-11-23T00:00:00.000+08:00"},
      {"a previous year", of(Kind::kPrevious, Unit::kYear), "UTC", "2026-11-22T10:00:00Z",
       "2027-01-01T00:00:00.000+00:00"},
  };
  for (const Case& c : cases) {
    const BusinessZone zone = zone_of(c.zone);
    EXPECT_EQ(shown(next_edge(c.window, at_utc(c.now), zone), zone), c.want) << c.name;
  }
  for (const Kind kind : {Kind::kEver, Kind::kSince, Kind::kBetween}) {
    EXPECT_EQ(next_edge(of(kind), at_utc("2026-11-22"), BusinessZone()), kLastInstant);
  }
  EXPECT_EQ(next_edge(of(Kind::kToday), kLastInstant, BusinessZone()), kLastInstant);
}

TEST(Window, Plus) {
  struct Case {
    std::string_view name;
    std::string_view zone;
    std::string_view given;
    Span span;
    std::string_view want;
  };
  const Case cases[] = {
      {"hours go by",
       "Europe/Berlin",
       "2026-03-29T01:30:00+01:00",
       {1, Unit::kHour},
       "2026-03-29T03:30:00.000+02:00"},
      {"a day keeps the time of day",
       "Europe/Berlin",
       "2026-03-28T10:00:00+01:00",
       {1, Unit::kDay},
       "2026-03-29T10:00:00.000+02:00"},
      {"a time that is skipped",
       "Europe/Berlin",
       "2026-03-28T02:30:00+01:00",
       {1, Unit::kDay},
       "2026-03-29T03:00:00.000+02:00"},
      {"a time that comes twice",
       "America/New_York",
       "2026-10-31T01:30:00.250-04:00",
       {1, Unit::kDay},
       "2026-11-01T01:30:00.250-04:00"},
      {"from its second time",
       "America/New_York",
       "2026-11-01T01:30:00-05:00",
       {1, Unit::kDay},
       "2026-11-02T01:30:00.000-05:00"},
      {"half an hour",
       "Australia/Lord_Howe",
       "2026-10-03T02:15:00+10:30",
       {1, Unit::kDay},
       "2026-10-04T02:30:00.000+11:00"},
      {"a week back",
       "Asia/Shanghai",
       "2026-11-22T10:00:00+08:00",
       {-1, Unit::kWeek},
       "2026-11-15T10:00:00.000+08:00"},
      {"a month end", "UTC", "2026-01-31T10:00:00Z", {1, Unit::kMonth}, "2026-02-28T10:00:00.000+00:00"},
      {"a leap month end", "UTC", "2028-01-31T10:00:00Z", {1, Unit::kMonth}, "2028-02-29T10:00:00.000+00:00"},
      {"back over a year's end",
       "UTC",
       "2026-01-31T10:00:00Z",
       {-2, Unit::kMonth},
       "2025-11-30T10:00:00.000+00:00"},
      {"a quarter", "UTC", "2026-11-30T10:00:00Z", {1, Unit::kQuarter}, "2027-02-28T10:00:00.000+00:00"},
      {"a year from a leap day",
       "UTC",
       "2028-02-29T10:00:00Z",
       {1, Unit::kYear},
       "2029-02-28T10:00:00.000+00:00"},
      {"far ahead",
       "UTC",
       "2026-01-31T10:00:00Z",
       {1'000'000'000'000'000'000, Unit::kHour},
       "2199-12-31T23:59:59.000+00:00"},
      {"far back",
       "Europe/Berlin",
       "2026-01-31T10:00:00Z",
       {-1'000'000'000'000'000'000, Unit::kYear},
       "1900-01-01T01:00:00.000+01:00"},
      {"far ahead in days",
       "Asia/Shanghai",
       "2026-01-31T10:00:00Z",
       {1'000'000'000'000'000'000, Unit::kDay},
       "2200-01-01T07:59:59.000+08:00"},
  };
  for (const Case& c : cases) {
    const BusinessZone zone = zone_of(c.zone);
    EXPECT_EQ(zone.format(plus(at_utc(c.given), c.span, zone)), c.want) << c.name;
  }
}

TEST(Window, WallClock) {
  struct Case {
    std::string_view zone;
    std::string_view given;
    int hour;
    int weekday;
  };
  const Case cases[] = {
      {"Asia/Shanghai", "2026-11-22T00:00:00+08:00", 0, 7},
      {"Asia/Shanghai", "2026-11-22T23:59:59.999+08:00", 23, 7},
      {"Asia/Shanghai", "2026-11-23T00:00:00+08:00", 0, 1},
      {"Europe/Berlin", "2026-03-29T01:59:59+01:00", 1, 7},
      {"Europe/Berlin", "2026-03-29T03:00:00+02:00", 3, 7},
      {"America/New_York", "2026-11-01T01:30:00-04:00", 1, 7},
      {"America/New_York", "2026-11-01T01:30:00-05:00", 1, 7},
      {"America/New_York", "2026-11-01T23:30:00-05:00", 23, 7},
      {"Australia/Lord_Howe", "2026-04-05T01:45:00+10:30", 1, 7},
  };
  for (const Case& c : cases) {
    const BusinessZone zone = zone_of(c.zone);
    EXPECT_EQ(hour_of(at_utc(c.given), zone), c.hour) << c.given;
    EXPECT_EQ(weekday_of(at_utc(c.given), zone), c.weekday) << c.given;
  }
}

// Random moments, of which many lie on or beside the edges of days, months and changes of clocks.
class Moments {
 public:
  explicit Moments(uint64_t seed) : random_(seed) {}
  uint64_t pick(uint64_t below) { return random_() % below; }

  Instant next(const BusinessZone& zone) {
    const CivilDay day = pick_day();
    const Instant start = zone.start_of(day);
    switch (pick(4)) {
      case 0:
        return start + Duration(static_cast<int64_t>(pick(3)) - 1);
      case 1:  // near a change of clocks, if there is one
        return start + Duration::minutes(30 * static_cast<int64_t>(pick(8))) -
               Duration(static_cast<int64_t>(pick(2)));
      default:
        return start + Duration(static_cast<int64_t>(pick(86'400'000'000)));
    }
  }

  Window window() {
    Window out;
    out.kind = static_cast<Kind>(pick(8));
    out.span.unit = static_cast<Unit>(pick(8));
    out.span.count = 1 + static_cast<int64_t>(pick(pick(2) == 0 ? 4 : 100));
    if (out.kind == Kind::kThis || out.kind == Kind::kPrevious)
      out.span.unit = static_cast<Unit>(4 + pick(4));
    out.from = pick_day();
    out.to = CivilDay(out.from.value() + static_cast<int32_t>(pick(100)));
    return out;
  }

 private:
  CivilDay pick_day() {
    static constexpr std::string_view kDays[] = {"2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04",
                                                 "2026-10-25", "2026-11-01", "2028-02-29", "2026-12-31"};
    const CivilDay edge = date(kDays[pick(8)]);
    const int32_t spread = pick(2) == 0 ? 2 : 1500;
    return CivilDay(edge.value() + static_cast<int32_t>(pick(2 * spread + 1)) - spread);
  }

  std::mt19937_64 random_;
};

// A tick in which nothing can change besides what changes at its beginning.
bool same_at(const Window& window, Instant a, Instant b, const BusinessZone& zone) {
  return extent(window, a, zone) == extent(window, b, zone);
}

TEST(Window, NextEdgeIsTheFirstMomentAtWhichTheExtentChanges) {
  const uint64_t seed = std::random_device()();
  Moments moments(seed);
  for (int i = 0; i < rounds(20'000, 500'000); ++i) {
    const BusinessZone zone = zone_of(kZones[moments.pick(std::size(kZones))]);
    const Window window = moments.window();
    const Instant now = moments.next(zone);
    const Instant edge = next_edge(window, now, zone);
    const std::string trace = cat("seed ", seed, ", round ", i, ", ", zone.name(), ", now ", format_utc(now),
                                  ", window ", int(window.kind), " ", window.span.count, " ",
                                  int(window.span.unit), ", edge ", format_utc(edge));
    ASSERT_GT(edge, now) << trace;
    if (edge < kLastInstant) {
      ASSERT_FALSE(same_at(window, now, edge, zone)) << trace;
    }
    const auto between = static_cast<uint64_t>((edge - now).micros());
    for (const int64_t step : {between - 1, moments.pick(between), moments.pick(between)}) {
      ASSERT_TRUE(same_at(window, now, now + Duration(step), zone)) << trace << ", step " << step;
    }
  }
}

TEST(Window, ExtentsOnlyMoveAhead) {
  const uint64_t seed = std::random_device()();
  Moments moments(seed);
  for (int i = 0; i < rounds(20'000, 500'000); ++i) {
    const BusinessZone zone = zone_of(kZones[moments.pick(std::size(kZones))]);
    const Window window = moments.window();
    const Instant a = moments.next(zone);
    const Instant b = moments.pick(2) == 0 ? next_edge(window, a, zone) : moments.next(zone);
    const Extent first = extent(window, std::min(a, b), zone);
    const Extent second = extent(window, std::max(a, b), zone);
    ASSERT_LE(first.from, second.from) << "seed " << seed << ", round " << i << ", " << zone.name();
    ASSERT_LE(first.to, second.to) << "seed " << seed << ", round " << i << ", " << zone.name();
    ASSERT_LT(first.from, first.to) << "seed " << seed << ", round " << i << ", " << zone.name();
  }
}

TEST(Window, EveryMomentLiesInItsGranule) {
  const uint64_t seed = std::random_device()();
  Moments moments(seed);
  for (int i = 0; i < rounds(20'000, 500'000); ++i) {
    const BusinessZone zone = zone_of(kZones[moments.pick(std::size(kZones))]);
    const Instant t = moments.next(zone);
    for (const Granule size : {Granule::kSecond, Granule::kMinute, Granule::kHour, Granule::kDay}) {
      const int64_t number = granule_of(t, size, zone);
      const std::string trace = cat("seed ", seed, ", ", zone.name(), ", ", format_utc(t), ", ", int(size));
      ASSERT_LE(start_of(number, size, zone), t) << trace;
      ASSERT_GT(start_of(number + 1, size, zone), t) << trace;
      ASSERT_EQ(granule_of(start_of(number, size, zone), size, zone), number) << trace;
    }
  }
}

TEST(Window, AMomentIsItsDayAndTimeOfDay) {
  const uint64_t seed = std::random_device()();
  Moments moments(seed);
  for (int i = 0; i < rounds(20'000, 500'000); ++i) {
    const BusinessZone zone = zone_of(kZones[moments.pick(std::size(kZones))]);
    const Instant t = moments.next(zone);
    const Instant found = at(zone.day_of(t), time_of_day(t, zone), zone);
    const std::string trace = cat("seed ", seed, ", ", zone.name(), ", ", format_utc(t));
    ASSERT_EQ(zone.format(found).substr(0, 23), zone.format(t).substr(0, 23)) << trace;
    ASSERT_LE(found, t) << trace;
    ASSERT_EQ(std::to_string(100 + hour_of(t, zone)).substr(1), zone.format(t).substr(11, 2)) << trace;
  }
}

}  // namespace
}  // namespace kehu::rule
