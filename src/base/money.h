#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kehu {

// A number with four decimals, exact: amounts of money and sums of properties. One value is at most ±10^14 (a
// property outside is refused at the door); sums are kept in 128 bits (Sum) and cannot overflow before 10^20
// such values.
class Decimal {
 public:
  static constexpr int64_t kScale = 10'000;
  static constexpr int64_t kMaxUnits = 1'000'000'000'000'000'000;

  constexpr Decimal() = default;
  static constexpr Decimal from_units(int64_t units) { return Decimal(units); }
  // JSON number syntax or a plain decimal; a fifth decimal is rounded half away from zero. nullopt when it is
  // no number or out of range.
  static std::optional<Decimal> parse(std::string_view text);

  constexpr int64_t units() const { return units_; }
  constexpr auto operator<=>(const Decimal&) const = default;
  std::string to_string() const;  // "12.5", "-0.0001", "3"

 private:
  constexpr explicit Decimal(int64_t units) : units_(units) {}
  int64_t units_ = 0;
};

__extension__ using Sum = __int128;  // in units of 10^-4

std::string sum_to_string(Sum sum);

}  // namespace kehu
