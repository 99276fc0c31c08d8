#pragma once

#include <cstdint>
#include <optional>

#include "base/civil_day.h"
#include "base/time.h"

// Stretches of time as rules name them, and where exactly they begin and end. All evaluators of rules share
// these edges; docs/rules.md has them as a table.
namespace kehu::rule {

enum class Unit : uint8_t { kSecond, kMinute, kHour, kDay, kWeek, kMonth, kQuarter, kYear };

// "30 days".
struct Span {
  int64_t count = 0;
  Unit unit = Unit::kDay;
  bool operator==(const Span&) const = default;
};

struct Window {
  enum class Kind : uint8_t {
    kEver,
    kLast,   // "last 30 days": the granule of the moment, and those before it
    kToday,  // = the civil day of the moment
    kYesterday,
    kThis,      // "this week" (from Monday), month, quarter, year
    kPrevious,  // "previous month"
    kSince,     // "since 2026-01-01": from the beginning of that day
    kBetween,   // "between 2026-01-01 and 2026-03-31": both days belong to it
  };
  Kind kind = Kind::kEver;
  Span span{};            // of kLast; of kThis and kPrevious only its unit
  CivilDay from{}, to{};  // of kSince and kBetween
  bool operator==(const Window&) const = default;
};

// How finely a window slides: it moves on by whole granules, so that a customer's state holds one number for
// each of them and not each event.
enum class Granule : uint8_t {
  kSecond,  // "last n minutes", n ≤ 15
  kMinute,  // "last n minutes" beyond, "last n hours", n ≤ 24
  kHour,    // "last n hours" beyond
  kDay,     // all that is counted in days or more; of the zone
  kNone,    // kEver, kSince and kBetween do not slide
};
Granule granule(const Window& window);
// How many of them "last n …" contains at any moment; nullopt where that depends on the calendar (months and
// longer) and for all other windows.
std::optional<int64_t> granules(const Window& window);

// The number of the granule that a moment lies in. Seconds, minutes and hours are counted in UTC, days in the
// zone. 0 of kNone.
int64_t granule_of(Instant t, Granule granule, const BusinessZone& zone);
Instant start_of(int64_t number, Granule granule, const BusinessZone& zone);

// What a window contains at a moment: [from, to). A window that reaches up to the moment has no end, so that
// an event whose clock is ahead counts at once.
struct Extent {
  Instant from;
  Instant to;
  bool contains(Instant t) const { return from <= t && t < to; }
  bool operator==(const Extent&) const = default;
};
Extent extent(const Window& window, Instant now, const BusinessZone& zone);

// The next moment at which the window contains something else although nothing happens: when it moves on by a
// granule. kLastInstant when it never does.
Instant next_edge(const Window& window, Instant now, const BusinessZone& zone);

// A moment so much later or earlier (negative). Days and what is made of them are civil: the same time of day
// in the zone; where a month has no such day, its last. Saturates at kFirstInstant and kLastInstant.
Instant plus(Instant t, Span span, const BusinessZone& zone);

}  // namespace kehu::rule
