#include "base/money.h"

#include <algorithm>

namespace kehu {
namespace {

struct Digits {
  bool negative = false;
  std::string digits;    // without the point
  int64_t exponent = 0;  // of ten, of the last digit
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<Digits> scan(std::string_view text) {
  Digits out;
  size_t i = 0;
  if (i < text.size() && (text[i] == '-' || text[i] == '+')) out.negative = text[i++] == '-';
  const size_t start = i;
  for (; i < text.size() && is_digit(text[i]); ++i) out.digits.push_back(text[i]);
  if (i < text.size() && text[i] == '.') {
    for (++i; i < text.size() && is_digit(text[i]); ++i, --out.exponent) out.digits.push_back(text[i]);
  }
  if (i == start || out.digits.empty()) return std::nullopt;
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    bool negative = false;
    if (++i < text.size() && (text[i] == '-' || text[i] == '+')) negative = text[i++] == '-';
    if (i == text.size()) return std::nullopt;
    int64_t exponent = 0;
    for (; i < text.size() && is_digit(text[i]); ++i)
      exponent = std::min<int64_t>(exponent * 10 + (text[i] - '0'), 10'000);
    out.exponent += negative ? -exponent : exponent;
  }
  if (i != text.size()) return std::nullopt;
  return out;
}

}  // namespace

// The digits are read as text and never as a double, in which 0.1 has no place. Digits and exponent are
// first taken apart, then as many digits are kept as units of 10^-4 have, and the first one that is dropped
// decides the rounding. Everything is bounded: 64 characters, an exponent of 10,000, and each digit is
// checked against the largest amount before the next one is added.
std::optional<Decimal> Decimal::parse(std::string_view text) {
  if (text.size() > 64) return std::nullopt;
  const auto number = scan(text);
  if (!number) return std::nullopt;
  const int64_t shift = number->exponent + 4;  // to units of 10^-4
  const int64_t length = static_cast<int64_t>(number->digits.size());
  const int64_t keep = std::min(length, std::max<int64_t>(0, length + shift));
  int64_t units = 0;
  const auto push = [&units](int digit) {
    if (units > kMaxUnits / 10) return false;
    units = units * 10 + digit;
    return units <= kMaxUnits;
  };
  for (int64_t i = 0; i < keep; ++i) {
    if (!push(number->digits[static_cast<size_t>(i)] - '0')) return std::nullopt;
  }
  for (int64_t i = 0; i < shift && units != 0; ++i) {
    if (!push(0)) return std::nullopt;
  }
  const bool round_up = shift < 0 && length + shift >= 0 && number->digits[static_cast<size_t>(keep)] >= '5';
  if (round_up) ++units;
  return Decimal(number->negative ? -units : units);
}

std::string Decimal::to_string() const { return sum_to_string(units_); }

std::string sum_to_string(Sum sum) {
  const bool negative = sum < 0;
  Sum rest = negative ? -sum : sum;
  std::string digits;
  do {
    digits.push_back(static_cast<char>('0' + static_cast<int>(rest % 10)));
    rest /= 10;
  } while (rest != 0);
  while (digits.size() < 5) digits.push_back('0');
  std::reverse(digits.begin(), digits.end());
  digits.insert(digits.size() - 4, ".");
  while (digits.back() == '0') digits.pop_back();
  if (digits.back() == '.') digits.pop_back();
  return negative ? "-" + digits : digits;
}

}  // namespace kehu
