#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "base/strong.h"
#include "base/time.h"

namespace kehu {

// Days since 1970-01-01 of the calendar in a time zone.
using CivilDay = Strong<struct CivilDayTag, int32_t>;

// The time zone in which a project's days begin. Cheap to copy; safe to share between threads.
class BusinessZone {
 public:
  BusinessZone();  // UTC
  // An IANA name such as "Asia/Shanghai"; nullopt when the zone is unknown.
  static std::optional<BusinessZone> load(std::string_view name);

  const std::string& name() const { return name_; }
  CivilDay day_of(Instant t) const;
  Instant start_of(CivilDay day) const;
  // RFC 3339 with milliseconds and the zone's offset, e.g. 2026-11-22T10:00:00.000+08:00.
  std::string format(Instant t) const;

 private:
  std::string name_;
  absl::TimeZone zone_;
  // Zones without daylight saving since 1992 (all of China's) need no table: day_of is one division.
  std::optional<int64_t> fixed_offset_micros_;
};

// RFC 3339 in UTC with microseconds as needed: 2026-11-22T02:00:00.000Z.
std::string format_utc(Instant t);

// ISO 8601 / RFC 3339 as clients write it: date, optional time, optional fraction, optional zone (a time
// without a zone is read as UTC). nullopt when it is not a time or lies outside kFirstInstant..kLastInstant.
// ~40 ns.
std::optional<Instant> parse_iso8601(std::string_view text);

}  // namespace kehu
