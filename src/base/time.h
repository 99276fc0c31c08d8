#pragma once

#include <compare>
#include <cstdint>

namespace kehu {

// A length of time in microseconds.
class Duration {
 public:
  constexpr Duration() = default;
  constexpr explicit Duration(int64_t micros) : micros_(micros) {}
  static constexpr Duration millis(int64_t n) { return Duration(n * 1000); }
  static constexpr Duration seconds(int64_t n) { return Duration(n * 1'000'000); }
  static constexpr Duration minutes(int64_t n) { return seconds(n * 60); }
  static constexpr Duration hours(int64_t n) { return seconds(n * 3600); }
  static constexpr Duration days(int64_t n) { return hours(n * 24); }

  constexpr int64_t micros() const { return micros_; }
  constexpr auto operator<=>(const Duration&) const = default;

  constexpr Duration operator+(Duration other) const { return Duration(micros_ + other.micros_); }
  constexpr Duration operator-(Duration other) const { return Duration(micros_ - other.micros_); }

 private:
  int64_t micros_ = 0;
};

// A point in time: microseconds since 1970-01-01T00:00:00Z, without leap seconds.
class Instant {
 public:
  constexpr Instant() = default;
  constexpr explicit Instant(int64_t micros) : micros_(micros) {}
  static constexpr Instant from_millis(int64_t n) { return Instant(n * 1000); }
  static constexpr Instant from_seconds(int64_t n) { return Instant(n * 1'000'000); }

  constexpr int64_t micros() const { return micros_; }
  constexpr auto operator<=>(const Instant&) const = default;

  constexpr Instant operator+(Duration d) const { return Instant(micros_ + d.micros()); }
  constexpr Instant operator-(Duration d) const { return Instant(micros_ - d.micros()); }
  constexpr Duration operator-(Instant other) const { return Duration(micros_ - other.micros_); }

 private:
  int64_t micros_ = 0;
};

// Instants outside [kFirstInstant, kLastInstant] (years 1900 to 2199) are refused at the door, so arithmetic
// on accepted instants cannot overflow.
inline constexpr Instant kFirstInstant = Instant::from_seconds(-2'208'988'800);
inline constexpr Instant kLastInstant = Instant::from_seconds(7'258'118'399);

}  // namespace kehu
