#include "model/spreadsheet.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "model/characters.h"

namespace kehu {
namespace {

constexpr std::string_view kTwoTo53 = "9007199254740992";
constexpr int kExponentMax = 400;   // of a double, and then some
constexpr size_t kShortDigits = 6;  // what %g, Excel and C++ streams write of a long number

struct Pair {
  std::string_view open, close;
};
constexpr Pair kQuotes[] = {{"\"", "\""}, {"'", "'"},   {"`", "`"}, {"“", "”"}, {"‘", "’"},
                            {"「", "」"}, {"『", "』"}, {"«", "»"}, {"„", "“"}, {"＂", "＂"},
                            {"＇", "＇"}, {"”", "”"},   {"’", "’"}};

// A number as it is written: [-+]digits[.digits][e[-+]digits].
struct Written {
  bool negative = false;
  std::string_view whole, fraction;
  bool has_point = false, has_exponent = false, signed_exponent = false;
  int exponent = 0;
};

std::string_view take_digits(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  const std::string_view digits = text.substr(0, static_cast<size_t>(end - text.begin()));
  text.remove_prefix(digits.size());
  return digits;
}

bool take_sign(std::string_view& text, bool& negative) {
  if (text.empty() || (text[0] != '-' && text[0] != '+')) return false;
  negative = text[0] == '-';
  text.remove_prefix(1);
  return true;
}

std::optional<Written> read(std::string_view text) {
  Written out;
  take_sign(text, out.negative);
  out.whole = take_digits(text);
  if (out.whole.empty()) return std::nullopt;
  if (text.starts_with('.')) {
    out.has_point = true;
    text.remove_prefix(1);
    out.fraction = take_digits(text);
    if (out.fraction.empty()) return std::nullopt;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    out.has_exponent = true;
    text.remove_prefix(1);
    bool negative = false;
    out.signed_exponent = take_sign(text, negative);
    const std::string_view digits = take_digits(text);
    if (digits.empty() || digits.size() > 3) return std::nullopt;
    std::from_chars(digits.data(), digits.data() + digits.size(), out.exponent);
    if (negative) out.exponent = -out.exponent;
  }
  return text.empty() ? std::optional(out) : std::nullopt;
}

// The digits that count, and how many of them stand before the point: 0.00120 is 12 at -2, 2.001e3 is 2001
// at 4.
struct Decimal {
  std::string digits;
  int before_point = 0;

  bool is_zero() const { return digits.empty(); }
  bool is_whole() const { return before_point >= static_cast<int>(digits.size()); }
};

Decimal decimal_of(const Written& number) {
  Decimal out;
  out.digits.append(number.whole).append(number.fraction);
  const size_t zeros = std::min(out.digits.find_first_not_of('0'), out.digits.size());
  out.digits.erase(0, zeros);
  out.before_point = static_cast<int>(number.whole.size()) - static_cast<int>(zeros) + number.exponent;
  while (!out.digits.empty() && out.digits.back() == '0') out.digits.pop_back();
  return out;
}

std::string plain_text(const Decimal& decimal, bool negative) {
  if (decimal.is_zero()) return "0";
  std::string out = negative ? "-" : "";
  if (decimal.before_point <= 0) {
    out.append("0.").append(static_cast<size_t>(-decimal.before_point), '0').append(decimal.digits);
    return out;
  }
  const auto before = static_cast<size_t>(decimal.before_point);
  out.append(decimal.digits, 0, before);
  if (decimal.is_whole()) return out.append(before - decimal.digits.size(), '0');
  return out.append(".").append(decimal.digits, before);
}

bool is_from_2_to_53(const Decimal& decimal) {
  const auto size = static_cast<size_t>(std::max(0, decimal.before_point));
  if (size != kTwoTo53.size()) return size > kTwoTo53.size();
  std::string whole = decimal.digits.substr(0, size);
  whole.resize(size, '0');
  return whole >= kTwoTo53;
}

// Digits as written before the exponent, without leading zeros.
size_t written_digits(const Written& number) {
  const std::string_view whole =
      number.whole.substr(std::min(number.whole.find_first_not_of('0'), number.whole.size()));
  return whole.size() + number.fraction.size();
}

bool is_exact_decimal(const Written& number) { return !number.has_exponent && number.fraction.size() > 1; }

PlainNumber lost() { return {LeftOut::kDigitsLost, {}}; }

}  // namespace

PlainNumber plain_number(std::string_view text) {
  const auto number = read(text);
  if (!number || (!number->has_point && !number->has_exponent)) return {};
  if (std::abs(number->exponent) > kExponentMax) return lost();
  const Decimal decimal = decimal_of(*number);
  if (is_from_2_to_53(decimal) && !is_exact_decimal(*number)) return lost();
  const bool short_form = number->has_exponent && written_digits(*number) == kShortDigits;
  if (short_form && decimal.before_point > static_cast<int>(kShortDigits)) return lost();
  return {LeftOut::kNo, plain_text(decimal, number->negative)};
}

PlainNumber number_in_text(std::string_view text) {
  if (text.empty() || (!is_digit(text[0]) && text[0] != '-' && text[0] != '+')) return {};
  const auto number = read(text);
  if (!number) return {};
  if (!number->has_exponent) {
    const bool spelt_whole = number->has_point && number->fraction.size() <= 2 && number->whole[0] != '0' &&
                             number->fraction.find_first_not_of('0') == number->fraction.npos &&
                             text[0] != '+';
    if (!spelt_whole) return {};
    if (number->fraction.size() == 1 && is_from_2_to_53(decimal_of(*number))) return lost();
    return {LeftOut::kNo, plain_text(decimal_of(*number), number->negative)};
  }
  if (number->whole.size() != 1 || (!number->has_point && !number->signed_exponent)) return {};
  const Decimal decimal = decimal_of(*number);
  if (number->exponent < 1 || !decimal.is_whole()) return {};
  // Programs leave the zeros at the end of a number off (1.391111222E10), so of seven digits or more the rest
  // are zeros; of six or fewer nobody knows.
  const bool complete = static_cast<int>(written_digits(*number)) >= decimal.before_point ||
                        written_digits(*number) > kShortDigits;
  if (!complete || is_from_2_to_53(decimal)) return lost();
  return {LeftOut::kNo, plain_text(decimal, number->negative)};
}

std::string_view without_guards(std::string_view text) {
  while (true) {
    text = strip(text);
    const std::string_view before = text;
    if (text.starts_with("=\"") && text.ends_with('"') && text.size() >= 3) text.remove_prefix(1);
    for (const Pair& pair : kQuotes) {
      if (text.size() < pair.open.size() + pair.close.size()) continue;
      if (!text.starts_with(pair.open) || !text.ends_with(pair.close)) continue;
      text.remove_prefix(pair.open.size());
      text.remove_suffix(pair.close.size());
      break;
    }
    if (text == before && text.size() > 1 && text[0] == '\'') text.remove_prefix(1);
    if (text == before) return text;
  }
}

}  // namespace kehu
