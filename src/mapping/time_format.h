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

  // `format`: "iso" (ISO 8601 with T or a space; date alone is midnight), "unix", "unix_ms", "unix_us", or a
  // pattern of strptime (%Y-%m-%d %H:%M:%S, %d/%b/%Y…; %z is an offset, %E*S seconds with a fraction).
  // `zone` (IANA name) says what times without an offset mean; a time that does not exist there (the hour
  // that daylight saving skips) is read with the offset before the change, one that exists twice is the
  // first.
  struct Spec {
    std::string format = "iso";
    std::string zone = "UTC";
  };
  static absl::StatusOr<TimeFormat> make(const Spec& spec);

  // nullopt when the text is no such time or lies outside kFirstInstant..kLastInstant. Blanks around it are
  // ignored. "unix" takes fractions ("1511544070.25") and numbers with ".0".
  std::optional<Instant> parse(std::string_view text) const;

  // "a time like 2026-11-22 10:00:00": what to expect, for messages.
  std::string expectation() const;

 private:
  enum class Kind : uint8_t { kIso, kUnix, kPattern };
  std::optional<Instant> parse_iso(std::string_view text) const;
  std::optional<Instant> parse_unix(std::string_view text) const;

  Kind kind_ = Kind::kIso;
  int64_t micros_per_unit_ = 1;  // kUnix
  std::string pattern_;
  absl::TimeZone zone_ = absl::UTCTimeZone();
  std::optional<int64_t> fixed_offset_micros_ = 0;  // of zones that never change theirs
};

bool is_time_zone(std::string_view name);

}  // namespace kehu::mapping
