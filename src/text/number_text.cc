#include "text/number_text.h"

#include <algorithm>
#include <charconv>

#include "base/money.h"
#include "text/money_text.h"

namespace kehu::text {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct Scan {
  std::string_view text;
  size_t at = 0;

  char peek() const { return at < text.size() ? text[at] : '\0'; }
  bool skip(char c) {
    if (peek() != c) return false;
    ++at;
    return true;
  }
};

// Appends digits without leading zeros, at least one, so that 007 and 7 are one text.
bool append_whole_part(Scan& scan, std::optional<char> thousands, std::string& out) {
  const size_t begin = out.size();
  bool any = false;
  for (; is_digit(scan.peek()) || (any && thousands && scan.peek() == *thousands); ++scan.at) {
    if (!is_digit(scan.peek())) continue;
    any = true;
    if (scan.peek() != '0' || out.size() > begin) out.push_back(scan.peek());
  }
  if (out.size() == begin) out.push_back('0');
  return any;
}

// Appends the point and its digits without trailing zeros, or nothing.
bool append_fraction(Scan& scan, std::string& out) {
  if (!scan.skip('.')) return false;
  const size_t begin = out.size();
  out.push_back('.');
  const size_t digits = scan.at;
  for (; is_digit(scan.peek()); ++scan.at) out.push_back(scan.peek());
  while (out.size() > begin && (out.back() == '0' || out.back() == '.')) {
    const bool point = out.back() == '.';
    out.pop_back();
    if (point) break;
  }
  return scan.at > digits;
}

bool append_exponent(Scan& scan, std::string& out) {
  if (!scan.skip('e') && !scan.skip('E')) return true;
  out.push_back('e');
  if (scan.skip('-')) {
    out.push_back('-');
  } else {
    scan.skip('+');
  }
  const size_t digits = scan.at;
  for (; is_digit(scan.peek()); ++scan.at) out.push_back(scan.peek());
  return scan.at > digits;
}

// ± 0.DIGITS × 10^exponent, the first and the last digit not 0; zero has no digits. Each number has one
// such form, so comparing exponents and then digits as text compares numbers of any length, without a
// rounding to double.
struct Scientific {
  bool negative = false;
  std::string digits;
  int64_t exponent = 0;
};

Scientific scientific(std::string_view number) {
  Scientific out;
  Scan scan{number};
  out.negative = scan.skip('-');
  bool point = false;
  for (; is_digit(scan.peek()) || scan.peek() == '.'; ++scan.at) {
    if (scan.peek() == '.') {
      point = true;
      continue;
    }
    if (out.digits.empty() && scan.peek() == '0') {
      out.exponent -= point;
      continue;
    }
    out.digits.push_back(scan.peek());
    out.exponent += !point;
  }
  while (out.digits.ends_with('0')) out.digits.pop_back();
  if (out.digits.empty()) return {};
  if (!scan.skip('e') && !scan.skip('E')) return out;
  scan.skip('+');
  int64_t exponent = 0;
  const char* const begin = number.data() + scan.at;
  const auto [end, error] = std::from_chars(begin, number.data() + number.size(), exponent);
  constexpr int64_t kFar = int64_t{1} << 60;
  if (error == std::errc::result_out_of_range) exponent = *begin == '-' ? -kFar : kFar;
  out.exponent += std::clamp(exponent, -kFar, kFar);
  return out;
}

}  // namespace

bool append_number(std::string_view text, std::optional<char> thousands, std::string& out) {
  Scan scan{text};
  const size_t begin = out.size();
  if (scan.skip('-')) {
    out.push_back('-');
  } else {
    scan.skip('+');
  }
  const bool whole = append_whole_part(scan, thousands, out);
  const bool fraction = append_fraction(scan, out);
  if (!whole && !fraction) return false;
  if (!append_exponent(scan, out) || scan.at != text.size()) return false;
  if (std::string_view(out).substr(begin) == "-0") out.erase(begin, 1);
  return true;
}

std::optional<std::string> read_number(std::string_view text, std::optional<char> thousands) {
  std::string out;
  if (append_number(text, thousands, out)) return out;
  std::string bare;
  if (thousands) {
    bare.assign(text);
    std::erase(bare, *thousands);
    text = bare;
  }
  const auto money = text::read_money(text);
  if (!money) return std::nullopt;
  return money->amount.to_string();
}

bool append_whole_number(std::string_view number, std::string& out) {
  constexpr int64_t kLongest = 40;
  const Scientific value = scientific(number);
  const auto digits = static_cast<int64_t>(value.digits.size());
  if (value.exponent < digits || value.exponent > kLongest) return false;
  if (value.negative) out.push_back('-');
  out.append(value.digits).append(static_cast<size_t>(value.exponent - digits), '0');
  if (digits == 0) out.push_back('0');
  return true;
}

std::strong_ordering compare_numbers(std::string_view a, std::string_view b) {
  const Scientific left = scientific(a), right = scientific(b);
  const auto sign = [](const Scientific& s) { return s.digits.empty() ? 0 : s.negative ? -1 : 1; };
  if (sign(left) != sign(right)) return sign(left) <=> sign(right);
  auto size = left.exponent <=> right.exponent;
  if (size == 0) size = left.digits.compare(right.digits) <=> 0;
  return sign(left) < 0 ? 0 <=> size : size;
}

// Decimals have four places, so the product of their units has eight, of which four are rounded away, half
// away from zero.
std::optional<std::string> product_text(std::string_view a, std::string_view b) {
  const auto left = Decimal::parse(a), right = Decimal::parse(b);
  if (!left || !right) return std::nullopt;
  const Sum product = Sum{left->units()} * right->units();
  const Sum half = product < 0 ? -Decimal::kScale / 2 : Decimal::kScale / 2;
  const Sum units = (product + half) / Decimal::kScale;
  if (units > Decimal::kMaxUnits || units < -Decimal::kMaxUnits) return std::nullopt;
  return sum_to_string(units);
}

std::optional<std::string> sum_text(std::string_view a, std::string_view b) {
  const auto left = Decimal::parse(a), right = Decimal::parse(b);
  if (!left || !right) return std::nullopt;
  const Sum units = Sum{left->units()} + right->units();
  if (units > Decimal::kMaxUnits || units < -Decimal::kMaxUnits) return std::nullopt;
  return sum_to_string(units);
}

}  // namespace kehu::text
