#include "intake/client_time.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <string>
#include <string_view>

#include "base/civil_day.h"

namespace kehu::intake {
namespace {

constexpr std::string_view kNoTime =
    "not a time between 1900 and 2199; write ISO 8601, e.g. 2026-11-22T10:00:00.000+08:00, or milliseconds "
    "since 1970";
constexpr std::string_view kDateAsNumber =
    "a date written as a number, which would be read as a count of seconds or milliseconds; write it as "
    "2026-11-22 or 2026-11-22T10:00:00+08:00";
constexpr std::string_view kSmallNumber =
    "a number, but no count since 1970 that could be meant: those before March 1973 are refused; write "
    "milliseconds since 1970, or ISO 8601";
constexpr std::string_view kZeroOfClocks =
    "the zero of a clock, 1970-01-01: the client's time was never set; leave it out, and the time of arrival "
    "counts";

constexpr double kSmallestCount = 1e8;

std::optional<Instant> in_range(Instant time) {
  if (time < kFirstInstant || time > kLastInstant) return std::nullopt;
  return time;
}

bool is_zero_of_clocks(Instant time) {
  return time > Instant() - Duration::days(1) && time < Instant() + Duration::days(1);
}

// The unit follows from the size. 1e8 seconds, 1e11 milliseconds, 1e14 microseconds and 1e17 nanoseconds
// are all the same moment in March 1973, and times up to 2199 stay below the next bound. Between these
// years a count can be read in one way only, which is why smaller counts are refused.
std::optional<Instant> from_count(double count) {
  const double micros = count < 1e11   ? count * 1e6
                        : count < 1e14 ? count * 1e3
                        : count < 1e17 ? count
                                       : count / 1e3;
  if (!(micros < 1e18)) return std::nullopt;
  return in_range(Instant(static_cast<int64_t>(std::llround(micros))));
}

int number_at(std::string_view digits, size_t begin, size_t size) {
  int number = 0;
  std::from_chars(digits.data() + begin, digits.data() + begin + size, number);
  return number;
}

// YYYYMMDD, with HHMM, HHMMSS or HHMMSSmmm behind it.
bool writes_date(std::string_view digits) {
  const size_t size = digits.size();
  if (size != 8 && size != 12 && size != 14 && size != 17) return false;
  const int year = number_at(digits, 0, 4), month = number_at(digits, 4, 2), day = number_at(digits, 6, 2);
  const bool date = year >= 1900 && year < 2200 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
  if (!date || size == 8) return date;
  return number_at(digits, 8, 2) < 24 && number_at(digits, 10, 2) < 60 &&
         (size == 12 || number_at(digits, 12, 2) < 61);
}

// Whole numbers as their digits, whatever way they are written: 2.0261101e7 too.
std::string digits_of(double count) {
  if (!(count >= 0 && count < 1e18) || count != std::floor(count)) return {};
  return std::to_string(static_cast<uint64_t>(count));
}

bool is_number(std::string_view text) {
  const size_t sign = text.starts_with('-') ? 1 : 0;
  return text.size() > sign && std::all_of(text.begin() + static_cast<std::ptrdiff_t>(sign), text.end(),
                                           [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

struct Zone {
  int minutes;
  std::string_view name;
};
// Offsets ahead of UTC that places on Earth have.
constexpr Zone kZonesAhead[] = {
    {60, "+01:00"},  {120, "+02:00"}, {180, "+03:00"}, {210, "+03:30"}, {240, "+04:00"}, {270, "+04:30"},
    {300, "+05:00"}, {330, "+05:30"}, {345, "+05:45"}, {360, "+06:00"}, {390, "+06:30"}, {420, "+07:00"},
    {480, "+08:00"}, {525, "+08:45"}, {540, "+09:00"}, {570, "+09:30"}, {600, "+10:00"}, {630, "+10:30"},
    {660, "+11:00"}, {720, "+12:00"}, {765, "+12:45"}, {780, "+13:00"}, {825, "+13:45"}, {840, "+14:00"}};
// An event waits so long in its client, at most, before it is sent.
constexpr Duration kWaitsAtMost = Duration::minutes(10);

// The result is -1 when the two are no digits.
inline int two_digits(const char* text) {
  const unsigned high = static_cast<unsigned char>(text[0]) - unsigned{'0'};
  const unsigned low = static_cast<unsigned char>(text[1]) - unsigned{'0'};
  return high < 10 && low < 10 ? static_cast<int>(high * 10 + low) : -1;
}

}  // namespace

std::optional<Instant> ClientTimes::checked(std::optional<Instant> time) {
  if (!time) why_ = kNoTime;
  if (!time || !is_zero_of_clocks(*time)) return time;
  why_ = kZeroOfClocks;
  return std::nullopt;
}

std::optional<Instant> ClientTimes::from_number(std::string_view text) {
  double count = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  why_ = kNoTime;
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  why_ = writes_date(digits_of(count)) ? kDateAsNumber : kSmallNumber;
  if (why_ == kDateAsNumber || count < kSmallestCount) return std::nullopt;
  return checked(from_count(count));
}

std::optional<Instant> ClientTimes::from_text(std::string_view text) {
  if (const auto time = parse_iso8601(text)) return checked(time);
  why_ = kNoTime;
  return is_number(text) ? from_number(text) : std::nullopt;
}

std::optional<Instant> ClientTimes::parse(const json::RawValue& value) {
  if (value.is_number()) return from_number(value.raw);
  why_ = kNoTime;
  if (!value.is_string()) return std::nullopt;
  // An escape would be no digit, so the short form may be looked for in the raw text.
  if (const auto time = parse_short_form(value.raw.substr(1, value.raw.size() - 2))) return checked(time);
  std::string scratch;
  return from_text(value.as_string(scratch));
}

// YYYY-MM-DDTHH:MM:SS.mmmZ, for which parse_iso8601 does more than is needed. Times that come one behind
// another mostly share their day, so it is remembered with its text, and only the rest is read.
std::optional<Instant> ClientTimes::parse_short_form(std::string_view text) {
  if (text.size() != 24 || text[10] != 'T' || text[13] != ':' || text[16] != ':' || text[19] != '.' ||
      text[23] != 'Z') {
    return std::nullopt;
  }
  if (text.substr(0, sizeof day_text_) != std::string_view(day_text_, sizeof day_text_)) {
    const auto day = parse_iso8601(text.substr(0, sizeof day_text_));
    if (!day) return std::nullopt;
    day_ = *day;
    std::memcpy(day_text_, text.data(), sizeof day_text_);
  }
  const int hour = two_digits(&text[11]), minute = two_digits(&text[14]), second = two_digits(&text[17]);
  const int tens = two_digits(&text[20]), ones = two_digits(&text[21]);
  if (hour < 0 || minute < 0 || second < 0 || tens < 0 || ones < 0) return std::nullopt;
  if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const int64_t seconds = int64_t{hour} * 3600 + minute * 60 + second;
  return in_range(day_ + Duration::millis(seconds * 1000 + tens * 10 + ones % 10));
}

// Segment's rule moves every event by receivedAt − sentAt, which is mostly the network: 2 ms to 300 ms on
// good lines, and enough to carry an order of 23:59:59.9 into the next day. A clock that is wrong is wrong
// by more, so up to ten seconds nothing is moved (docs/decisions/door.md). Nor is anything when the
// difference is no clock's: a request that is sent again has waited, and RudderStack's SDKs keep the sentAt
// of their first try.
Instant corrected_time(const ClientClock& clock, Instant original) {
  if (!clock.sent_at) return original;
  const Duration late = clock.received_at - *clock.sent_at;
  if (late <= kDelay && Duration() - late <= kDelay) return original;
  const bool held_back =
      (clock.retried && late > Duration()) || (clock.frozen_sent_at && late > kFrozenAfter);
  if (held_back) return original;
  // A clock that is decades wrong must not push the sum out of the range of instants.
  return std::clamp(original + late, kFirstInstant, kLastInstant);
}

// Some libraries send zone-less local times as UTC, in Shanghai eight hours ahead of `sentAt`. To refuse
// them would lose the events of every such installation, and to believe them would put them behind
// everything of the next hours. To subtract the offset would be right when the guess is. So it is only told
// here, and the time of arrival counts, which is right within the minutes that an event waits, whatever the
// reason.
std::string_view zone_ahead(const ClientClock& clock, Instant original) {
  if (!clock.sent_at || original - *clock.sent_at < Duration::minutes(60) - kWaitsAtMost) return {};
  for (const Zone& zone : kZonesAhead) {
    const Duration waited = Duration::minutes(zone.minutes) - (original - *clock.sent_at);
    if (waited >= Duration() - kDelay && waited <= kWaitsAtMost) return zone.name;
  }
  return {};
}

}  // namespace kehu::intake
