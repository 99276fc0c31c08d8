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

std::optional<Instant> in_range(Instant time) {
  if (time < kFirstInstant || time > kLastInstant) return std::nullopt;
  return time;
}

std::optional<Instant> from_count(double count) {
  const double size = std::abs(count);
  const double micros = size < 1e11 ? count * 1e6 : size < 1e14 ? count * 1e3 : count;
  if (!(std::abs(micros) < 1e18)) return std::nullopt;
  return in_range(Instant(static_cast<int64_t>(std::llround(micros))));
}

bool is_count(std::string_view text) {
  return text.size() >= 9 &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

// -1 when they are none.
inline int two_digits(const char* text) {
  const unsigned high = static_cast<unsigned char>(text[0]) - unsigned{'0'};
  const unsigned low = static_cast<unsigned char>(text[1]) - unsigned{'0'};
  return high < 10 && low < 10 ? static_cast<int>(high * 10 + low) : -1;
}

std::optional<Instant> parse_text(std::string_view text) {
  if (const auto time = parse_iso8601(text)) return time;
  if (!is_count(text)) return std::nullopt;
  double count = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return from_count(count);
}

}  // namespace

std::optional<Instant> ClientTimes::parse(const json::RawValue& value) {
  if (value.is_number()) {
    const auto count = value.as_double();
    return count ? from_count(*count) : std::nullopt;
  }
  if (!value.is_string()) return std::nullopt;
  // An escape would be no digit, so the short form may be looked for in the raw text.
  if (const auto time = parse_short_form(value.raw.substr(1, value.raw.size() - 2))) return time;
  std::string scratch;
  return parse_text(value.as_string(scratch));
}

// YYYY-MM-DDTHH:MM:SS.mmmZ, for which parse_iso8601 does more than is needed.
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

Instant corrected_time(const ClientClock& clock, Instant original) {
  if (!clock.sent_at) return original;
  const Duration late = clock.received_at - *clock.sent_at;
  const bool held_back =
      (clock.retried && late > Duration()) || (clock.frozen_sent_at && late > kFrozenAfter);
  if (held_back) return original;
  // A clock that is decades wrong must not push the sum out of the range of instants.
  return std::clamp(original + late, kFirstInstant, kLastInstant);
}

}  // namespace kehu::intake
