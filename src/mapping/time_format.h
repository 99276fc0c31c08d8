#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/time.h"

namespace kehu::mapping {

// How a column writes times. Safe to share between threads.
class TimeFormat {
 public:
  TimeFormat() = default;  // "iso" in UTC

  // `format`: "iso" (what says its order by itself: ISO 8601 and its kin, see date_text.h; a date alone is
  // midnight), "unix", "unix_ms", "unix_us" (counts from 1973 on: a smaller one is a date such as 20260102,
  // or another unit), "excel" and "excel_1904" (days, with a fraction), or a pattern of strptime (%Y-%m-%d
  // %H:%M:%S, %d/%b/%Y…; %Y has four digits, %z is an offset, %E*S and Python's %S.%f are seconds with a
  // fraction). `zone` (IANA name) says what times without an offset mean; a time that does not exist there
  // (the hour that daylight saving skips) is read with the offset before the change, one that exists twice is
  // the first.
  struct Spec {
    std::string format = "iso";
    std::string zone = "UTC";
  };
  static absl::StatusOr<TimeFormat> make(const Spec& spec);

  // nullopt when the text is no such time or lies outside kFirstInstant..kLastInstant. Blanks around it are
  // ignored. "unix" takes fractions ("1511544070.25") and numbers with ".0".
  std::optional<Instant> parse(std::string_view text) const;

  // The time at the first place of a file's name where one of this form stands, with no digit at either side.
  std::optional<Instant> find_in(std::string_view name) const;

  // "a time like 2026-11-22 10:00:00": what to expect, for messages.
  std::string expectation() const;

 private:
  enum class Kind : uint8_t { kIso, kUnix, kExcel, kPattern };
  std::optional<Instant> parse_iso(std::string_view text) const;
  std::optional<Instant> parse_unix(std::string_view text) const;
  std::optional<Instant> parse_excel(std::string_view text) const;
  std::optional<Instant> parse_pattern(std::string_view text) const;
  // Of the hands of a clock in the zone, read as if they were UTC.
  std::optional<Instant> from_local(int64_t micros) const;

  Kind kind_ = Kind::kIso;
  int64_t micros_per_unit_ = 1;  // kUnix
  int64_t first_day_ = 0;        // kExcel: that of number 0, in days since 1970
  std::string given_;            // kPattern, as the mapping writes it
  std::string pattern_;          // and as Abseil reads it
  absl::TimeZone zone_ = absl::UTCTimeZone();
  std::optional<int64_t> fixed_offset_micros_ = 0;  // of zones that never change theirs
};

bool is_time_zone(std::string_view name);

}  // namespace kehu::mapping
