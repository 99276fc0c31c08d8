#include "base/civil_day.h"

#include <charconv>
#include <cstdio>

#include "absl/time/civil_time.h"

// Days of business are days of one time zone. A zone that has not changed its offset since 1993, as all of
// China's, needs no table: its days are one division, and what lies before 1993 is told by the same offset.
// Any other zone is asked for its offset at each instant.
namespace kehu {
namespace {

constexpr int64_t kMicrosPerDay = 86'400'000'000;

// Rounds down, so that the second before 1970 belongs to the day before.
int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a % b < 0) != (b < 0)); }

int64_t offset_micros_at(const absl::TimeZone& zone, int64_t seconds) {
  return int64_t{zone.At(absl::FromUnixSeconds(seconds)).offset} * 1'000'000;
}

// Days from 1970-01-01 to a proleptic Gregorian date (Hinnant, "chrono-compatible low-level date
// algorithms").
int64_t days_from_civil(int64_t year, unsigned month, unsigned day) {
  year -= month <= 2;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const unsigned year_of_era = static_cast<unsigned>(year - era * 400);
  const unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + static_cast<int64_t>(day_of_era) - 719468;
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool done() const { return at_ == text_.size(); }
  char peek() const { return done() ? '\0' : text_[at_]; }
  bool skip(char c) {
    if (peek() != c || done()) return false;
    ++at_;
    return true;
  }
  bool number(int digits, int& out) {
    if (text_.size() - at_ < static_cast<size_t>(digits)) return false;
    int value = 0;
    for (int i = 0; i < digits; ++i) {
      const char c = text_[at_ + static_cast<size_t>(i)];
      if (c < '0' || c > '9') return false;
      value = value * 10 + (c - '0');
    }
    at_ += static_cast<size_t>(digits);
    out = value;
    return true;
  }
  // Digits after the point, to microseconds; finer ones are cut.
  bool fraction(int& micros) {
    int digits = 0;
    micros = 0;
    for (; peek() >= '0' && peek() <= '9'; ++at_) {
      if (digits++ < 6) micros = micros * 10 + (text_[at_] - '0');
    }
    for (int i = digits; i < 6; ++i) micros *= 10;
    return digits > 0 && digits <= 12;
  }

 private:
  std::string_view text_;
  size_t at_ = 0;
};

bool parse_zone(Scanner& scan, int64_t& offset_seconds) {
  offset_seconds = 0;
  if (scan.done() || scan.skip('Z') || scan.skip('z')) return scan.done();
  const bool west = scan.peek() == '-';
  if (!scan.skip('+') && !scan.skip('-')) return false;
  int hours = 0, minutes = 0;
  if (!scan.number(2, hours)) return false;
  scan.skip(':');
  if (!scan.done() && !scan.number(2, minutes)) return false;
  if (hours > 18 || minutes > 59) return false;
  offset_seconds = (hours * 60 + minutes) * 60;
  if (west) offset_seconds = -offset_seconds;
  return scan.done();
}

bool valid_date(int year, int month, int day) {
  if (month < 1 || month > 12 || day < 1) return false;
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return day <= kDays[month - 1] + (month == 2 && leap ? 1 : 0);
}

}  // namespace

BusinessZone::BusinessZone() : name_("UTC"), zone_(absl::UTCTimeZone()), fixed_offset_micros_(0) {}

std::optional<BusinessZone> BusinessZone::load(std::string_view name) {
  BusinessZone zone;
  zone.name_ = std::string(name);
  if (!absl::LoadTimeZone(zone.name_, &zone.zone_)) return std::nullopt;
  absl::TimeZone::CivilTransition next;
  constexpr int64_t kStart = 725'846'400;  // 1993-01-01, after China's last daylight saving
  const bool changes = zone.zone_.NextTransition(absl::FromUnixSeconds(kStart), &next);
  if (changes) {
    zone.fixed_offset_micros_.reset();
  } else {
    zone.fixed_offset_micros_ = offset_micros_at(zone.zone_, kStart);
  }
  return zone;
}

CivilDay BusinessZone::day_of(Instant t) const {
  const int64_t offset = fixed_offset_micros_ ? *fixed_offset_micros_
                                              : offset_micros_at(zone_, floor_div(t.micros(), 1'000'000));
  return CivilDay(static_cast<int32_t>(floor_div(t.micros() + offset, kMicrosPerDay)));
}

Instant BusinessZone::start_of(CivilDay day) const {
  if (fixed_offset_micros_) return Instant(int64_t{day.value()} * kMicrosPerDay - *fixed_offset_micros_);
  const absl::Time start =
      absl::FromCivil(absl::CivilSecond(absl::CivilDay(1970, 1, 1) + day.value()), zone_);
  return Instant(absl::ToUnixMicros(start));
}

std::string BusinessZone::format(Instant t) const {
  return absl::FormatTime("%Y-%m-%d%ET%H:%M:%E3S%Ez", absl::FromUnixMicros(t.micros()), zone_);
}

std::string format_utc(Instant t) {
  const char* format = t.micros() % 1000 == 0 ? "%Y-%m-%d%ET%H:%M:%E3SZ" : "%Y-%m-%d%ET%H:%M:%E6SZ";
  return absl::FormatTime(format, absl::FromUnixMicros(t.micros()), absl::UTCTimeZone());
}

// Takes what clients send as ISO 8601, with what they get slightly wrong: a space for the T, a comma for
// the point, a blank before the zone, a zone without colon or minutes. A text without a zone is UTC. A 60th
// second is let in and becomes the first one of the next minute.
std::optional<Instant> parse_iso8601(std::string_view text) {
  Scanner scan(text);
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, micros = 0;
  if (!scan.number(4, year) || !scan.skip('-') || !scan.number(2, month) || !scan.skip('-') ||
      !scan.number(2, day) || !valid_date(year, month, day)) {
    return std::nullopt;
  }
  int64_t offset_seconds = 0;
  if (!scan.done()) {
    if (!scan.skip('T') && !scan.skip('t') && !scan.skip(' ')) return std::nullopt;
    if (!scan.number(2, hour) || !scan.skip(':') || !scan.number(2, minute)) return std::nullopt;
    if (scan.skip(':') && !scan.number(2, second)) return std::nullopt;
    if ((scan.skip('.') || scan.skip(',')) && !scan.fraction(micros)) return std::nullopt;
    scan.skip(' ');
    if (!parse_zone(scan, offset_seconds)) return std::nullopt;
  }
  if (hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const int64_t days = days_from_civil(year, static_cast<unsigned>(month), static_cast<unsigned>(day));
  const int64_t seconds = days * 86400 + hour * 3600 + minute * 60 + second - offset_seconds;
  const Instant instant(seconds * 1'000'000 + micros);
  if (instant < kFirstInstant || instant > kLastInstant) return std::nullopt;
  return instant;
}

}  // namespace kehu
