#include "intake/client_time.h"

#include <algorithm>
#include <charconv>
#include <cmath>
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
  return text.size() >= 9 && std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
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

std::optional<Instant> parse_client_time(const json::RawValue& value) {
  if (value.is_number()) {
    const auto count = value.as_double();
    return count ? from_count(*count) : std::nullopt;
  }
  if (!value.is_string()) return std::nullopt;
  std::string scratch;
  return parse_text(value.as_string(scratch));
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
