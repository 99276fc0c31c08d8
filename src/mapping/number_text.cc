#include "mapping/number_text.h"

#include "base/money.h"

namespace kehu::mapping {
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

// Digits without leading zeros, at least one.
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

// The point and its digits without trailing zeros, or nothing.
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

std::optional<std::string> product_text(std::string_view a, std::string_view b) {
  const auto left = Decimal::parse(a), right = Decimal::parse(b);
  if (!left || !right) return std::nullopt;
  const Sum product = Sum{left->units()} * right->units();
  const Sum half = product < 0 ? -Decimal::kScale / 2 : Decimal::kScale / 2;
  const Sum units = (product + half) / Decimal::kScale;
  if (units > Decimal::kMaxUnits || units < -Decimal::kMaxUnits) return std::nullopt;
  return sum_to_string(units);
}

}  // namespace kehu::mapping
