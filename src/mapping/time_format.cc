#include "mapping/time_format.h"

#include <charconv>

#include "base/civil_day.h"
#include "base/money.h"
#include "base/text.h"

namespace kehu::mapping {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

// An ISO time says its own offset behind the clock: 2026-11-22T10:00:00Z, …+08:00.
bool has_offset(std::string_view iso) {
  constexpr size_t kDate = 10;
  return iso.size() > kDate && iso.find_first_of("Zz+-", kDate) != std::string_view::npos;
}

std::optional<Instant> in_range(Sum micros) {
  if (micros < kFirstInstant.micros() || micros > kLastInstant.micros()) return std::nullopt;
  return Instant(static_cast<int64_t>(micros));
}

}  // namespace

bool is_time_zone(std::string_view name) {
  absl::TimeZone zone;
  return absl::LoadTimeZone(to_absl(name), &zone);
}

absl::StatusOr<TimeFormat> TimeFormat::make(const Spec& spec) {
  TimeFormat out;
  if (!absl::LoadTimeZone(spec.zone, &out.zone_)) {
    return failure(absl::StatusCode::kInvalidArgument, "\"", spec.zone,
                   "\" is not a time zone; give an IANA name such as \"Asia/Shanghai\"");
  }
  absl::TimeZone::CivilTransition change;
  const bool changes = out.zone_.NextTransition(absl::InfinitePast(), &change);
  out.fixed_offset_micros_.reset();
  if (!changes) out.fixed_offset_micros_ = int64_t{out.zone_.At(absl::UnixEpoch()).offset} * 1'000'000;
  if (spec.format == "iso") return out;
  out.kind_ = Kind::kUnix;
  if (spec.format == "unix") {
    out.micros_per_unit_ = 1'000'000;
  } else if (spec.format == "unix_ms") {
    out.micros_per_unit_ = 1000;
  } else if (spec.format != "unix_us") {
    if (spec.format.find('%') == std::string::npos) {
      return failure(
          absl::StatusCode::kInvalidArgument, "\"", spec.format,
          "\" is not a time format; use \"iso\", \"unix\", \"unix_ms\", \"unix_us\" or a pattern such as "
          "\"%d/%m/%Y %H:%M\"");
    }
    out.kind_ = Kind::kPattern;
    out.pattern_ = spec.format;
  }
  return out;
}

std::optional<Instant> TimeFormat::parse(std::string_view text) const {
  text = trimmed(text);
  if (text.empty()) return std::nullopt;
  switch (kind_) {
    case Kind::kIso:
      return parse_iso(text);
    case Kind::kUnix:
      return parse_unix(text);
    case Kind::kPattern:
      break;
  }
  absl::Time time;
  if (!absl::ParseTime(pattern_, to_absl(text), zone_, &time, nullptr)) return std::nullopt;
  if (time == absl::InfiniteFuture() || time == absl::InfinitePast()) return std::nullopt;
  return in_range(absl::ToUnixMicros(time));
}

std::optional<Instant> TimeFormat::parse_iso(std::string_view text) const {
  const auto instant = parse_iso8601(text);
  if (!instant || has_offset(text)) return instant;
  if (fixed_offset_micros_) return in_range(instant->micros() - *fixed_offset_micros_);
  // What was read as UTC are the hands of a local clock.
  const absl::Time as_utc = absl::FromUnixMicros(instant->micros());
  const absl::CivilSecond civil = absl::ToCivilSecond(as_utc, absl::UTCTimeZone());
  const absl::Duration fraction = as_utc - absl::FromCivil(civil, absl::UTCTimeZone());
  return in_range(absl::ToUnixMicros(zone_.At(civil).pre + fraction));
}

std::optional<Instant> TimeFormat::parse_unix(std::string_view text) const {
  // Microseconds since 1970 are longer than a Decimal.
  int64_t whole = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), whole);
  if (error == std::errc() && end == text.data() + text.size())
    return in_range(Sum{whole} * micros_per_unit_);
  const auto number = Decimal::parse(text);
  if (!number) return std::nullopt;
  return in_range(Sum{number->units()} * micros_per_unit_ / Decimal::kScale);
}

std::string TimeFormat::expectation() const {
  if (kind_ == Kind::kIso) return "a time such as 2026-11-22 10:00:00";
  if (kind_ == Kind::kPattern) return cat("a time of the form ", pattern_);
  if (micros_per_unit_ == 1'000'000) return "seconds since 1970";
  return micros_per_unit_ == 1000 ? "milliseconds since 1970" : "microseconds since 1970";
}

}  // namespace kehu::mapping
