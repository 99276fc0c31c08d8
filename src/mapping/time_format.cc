#include "mapping/time_format.h"

#include <charconv>
#include <cmath>

#include "base/civil_day.h"
#include "base/money.h"
#include "base/text.h"
#include "text/date_text.h"

namespace kehu::mapping {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

// Abseil reads as many digits for %Y as there are, which leaves nothing of 20260102 for the month; strptime
// reads four. %S.%f is Python's spelling of seconds with a fraction.
std::string as_abseil_reads(std::string_view pattern) {
  std::string out;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const std::string_view rest = pattern.substr(i);
    if (rest.starts_with("%S.%f") || rest.starts_with("%S,%f")) {
      out.append("%E*S");
      i += 4;
    } else if (rest.starts_with("%Y")) {
      out.append("%E4Y");
      ++i;
    } else if (rest.starts_with("%F")) {
      out.append("%E4Y-%m-%d");
      ++i;
    } else if (pattern[i] == '%' && rest.size() > 1) {
      out.append(rest.substr(0, 2));
      ++i;
    } else {
      out.push_back(pattern[i]);
    }
  }
  return out;
}

// Counts of microseconds before 1973-03-03T09:46:40Z.
constexpr int64_t kFirstCount = 100'000'000'000'000;

bool is_date(std::string_view digits) {
  return digits.size() >= 8 && digits.size() % 2 == 0 && digits.size() <= 14 &&
         text::read_date(digits).has_value();
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
  } else if (spec.format == "excel" || spec.format == "excel_1904") {
    out.kind_ = Kind::kExcel;
    const bool mac = spec.format == "excel_1904";
    out.first_day_ =
        absl::CivilDay(mac ? 1904 : 1899, mac ? 1 : 12, mac ? 1 : 30) - absl::CivilDay(1970, 1, 1);
  } else if (spec.format != "unix_us") {
    if (spec.format.find('%') == std::string::npos) {
      return failure(absl::StatusCode::kInvalidArgument, "\"", spec.format,
                     "\" is not a time format; use \"iso\", \"unix\", \"unix_ms\", \"unix_us\", \"excel\" or "
                     "a pattern such "
                     "as \"%d/%m/%Y %H:%M\"");
    }
    out.kind_ = Kind::kPattern;
    // Abseil passes over what these say.
    for (const std::string_view unread : {"%j", "%U", "%W", "%V", "%G", "%g", "%C"}) {
      if (spec.format.find(unread) == std::string::npos) continue;
      return failure(absl::StatusCode::kInvalidArgument, "\"", unread,
                     "\" (days and weeks of a year, centuries) cannot be read: %Y, %m and %d can");
    }
    out.given_ = spec.format;
    out.pattern_ = as_abseil_reads(spec.format);
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
    case Kind::kExcel:
      return parse_excel(text);
    case Kind::kPattern:
      break;
  }
  return parse_pattern(text);
}

std::optional<Instant> TimeFormat::parse_pattern(std::string_view text) const {
  absl::Time time;
  if (!absl::ParseTime(pattern_, to_absl(text), zone_, &time, nullptr)) return std::nullopt;
  if (time == absl::InfiniteFuture() || time == absl::InfinitePast()) return std::nullopt;
  return in_range(absl::ToUnixMicros(time));
}

std::optional<Instant> TimeFormat::parse_iso(std::string_view text) const {
  const auto date = text::read_date(text);
  if (!date) return std::nullopt;
  if (!date->offset_seconds) return from_local(date->local_micros);
  return in_range(Sum{date->local_micros} - Sum{*date->offset_seconds} * 1'000'000);
}

// In a zone whose offset never changes a local time costs one subtraction. Elsewhere one that a change of
// clocks skips or repeats is read with the offset from before the change.
std::optional<Instant> TimeFormat::from_local(int64_t micros) const {
  if (fixed_offset_micros_) return in_range(Sum{micros} - *fixed_offset_micros_);
  const absl::Time as_utc = absl::FromUnixMicros(micros);
  const absl::CivilSecond civil = absl::ToCivilSecond(as_utc, absl::UTCTimeZone());
  const absl::Duration fraction = as_utc - absl::FromCivil(civil, absl::UTCTimeZone());
  return in_range(absl::ToUnixMicros(zone_.At(civil).pre + fraction));
}

std::optional<Instant> TimeFormat::parse_unix(std::string_view text) const {
  if (is_date(text)) return std::nullopt;
  // Microseconds since 1970 are longer than a Decimal.
  Sum micros = 0;
  int64_t whole = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), whole);
  if (error == std::errc() && end == text.data() + text.size()) {
    micros = Sum{whole} * micros_per_unit_;
  } else {
    const auto number = Decimal::parse(text);
    if (!number) return std::nullopt;
    micros = Sum{number->units()} * micros_per_unit_ / Decimal::kScale;
  }
  return micros < kFirstCount ? std::nullopt : in_range(micros);
}

// Number 1 is 1900-01-01, and there is a 1900-02-29, number 60, which never was. The fraction is a double's:
// times of a second are off by microseconds.
std::optional<Instant> TimeFormat::parse_excel(std::string_view text) const {
  double days = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), days);
  if (error != std::errc() || end != text.data() + text.size() || !(days >= 0 && days < 150'000))
    return std::nullopt;
  const bool leap_year_of_1900 = first_day_ == absl::CivilDay(1899, 12, 30) - absl::CivilDay(1970, 1, 1);
  if (leap_year_of_1900 && (days < 1 || std::floor(days) == 60)) return std::nullopt;
  if (leap_year_of_1900 && days < 60) days += 1;
  constexpr int64_t kMillisPerDay = 86'400'000;
  const auto millis = static_cast<int64_t>(std::llround(days * double(kMillisPerDay)));
  return from_local((first_day_ * kMillisPerDay + millis) * 1000);
}

// At each place the longest text is tried first, and no number is cut on either side: a part of a date may
// be a date, as 2026-11-2 is of 2026-11-22.
std::optional<Instant> TimeFormat::find_in(std::string_view name) const {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  for (size_t begin = 0; begin < name.size(); ++begin) {
    if (name[begin] == ' ' || (begin > 0 && is_digit(name[begin]) && is_digit(name[begin - 1]))) continue;
    for (size_t end = name.size(); end > begin; --end) {
      if (end < name.size() && is_digit(name[end]) && is_digit(name[end - 1])) continue;
      if (const auto found = parse(name.substr(begin, end - begin))) return found;
    }
  }
  return std::nullopt;
}

std::string TimeFormat::expectation() const {
  if (kind_ == Kind::kIso) return "a time such as 2026-11-22 10:00:00";
  if (kind_ == Kind::kPattern) return cat("a time of the form ", given_);
  if (kind_ == Kind::kExcel) return "the number of a day, as spreadsheets keep times (46023.5)";
  if (micros_per_unit_ == 1'000'000) return "a count of seconds since 1970 (not before 1973)";
  return micros_per_unit_ == 1000 ? "a count of milliseconds since 1970 (not before 1973)"
                                  : "a count of microseconds since 1970 (not before 1973)";
}

}  // namespace kehu::mapping
