#include "identifier/phone_number.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "model/characters.h"
#include "model/spreadsheet.h"
#include "phone/number.h"

namespace kehu {
namespace {

constexpr size_t kMobileDigits = 11;
constexpr size_t kNumberDigits = 7;  // a piece of a field with as many digits is a number of its own

// These may stand before a mobile number: the country, the trunk zero, and the prefixes of carriers' cheap
// calls.
constexpr std::string_view kPrefixes[] = {"",    "0",     "86",    "0086",  "860",  "00860",
                                          "086", "17951", "12593", "17911", "10193"};

constexpr std::string_view kLabels[] = {
    "tel:", "tel.", "sms:", "callto:", "phone:", "mobile:", "手机:", "手机号:", "电话:"};

// Separators people write inside numbers: hyphens and dashes of any kind, dots, middle dots.
bool is_separator(char32_t point) {
  return point == '-' || point == '.' || point == '(' || point == ')' ||
         (point >= 0x2010 && point <= 0x2015) || point == 0x2212 || point == 0x00b7 || point == 0x30fb ||
         point == 0x3002 || is_blank(point) || is_invisible(point);
}

// True of what stands between two numbers of one field.
bool is_divider(char32_t point) {
  return point == ',' || point == ';' || point == '/' || point == '|' || point == '\\' || point == '&' ||
         point == '\n' || point == '\r' || point == 0x3001 || point == U'或' || point == U'和';
}

bool is_mainland_mobile(std::string_view digits) {
  return digits.size() == kMobileDigits && digits[0] == '1' && digits[1] >= '3';
}

bool are_digits(std::string_view text) { return std::all_of(text.begin(), text.end(), is_digit); }

std::string without_separators(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Character character = first_character(text);
    if (!is_separator(character.point)) out.append(text.substr(0, character.bytes));
    text.remove_prefix(character.bytes);
  }
  return out;
}

// Finds the mainland mobile number in digits that may have a prefix. Chinese mobiles are read without
// libphonenumber, in `phone` and `chinese_phone` alike (docs/decisions/identifier_values.md). Behind a
// plus only the country can stand, so the prefixes of carriers do not count there.
std::optional<std::string> mainland_mobile(std::string_view digits, bool plus) {
  if (digits.size() < kMobileDigits) return std::nullopt;
  const std::string_view prefix = digits.substr(0, digits.size() - kMobileDigits);
  const std::string_view mobile = digits.substr(prefix.size());
  if (!is_mainland_mobile(mobile)) return std::nullopt;
  const bool known =
      plus ? prefix == "86" || prefix == "860" || prefix == "0086"
           : std::find(std::begin(kPrefixes), std::end(kPrefixes), prefix) != std::end(kPrefixes);
  return known ? std::optional(std::string(mobile)) : std::nullopt;
}

// Takes a foreign number by the length that E.164 allows and by nothing else. `chinese_phone` has always
// read numbers so, and keeps its meaning, because a stricter reading would change which customers existing
// projects find.
std::optional<std::string> by_shape(std::string_view digits) {
  const bool e164 = digits.size() >= 7 && digits.size() <= 15 && digits[0] != '0';
  if (!e164 || digits.starts_with("86")) return std::nullopt;
  return "+" + std::string(digits);
}

// True of two mobile numbers that only a separator stood between.
bool are_two_mobiles(std::string_view digits) {
  return digits.size() == 2 * kMobileDigits && is_mainland_mobile(digits.substr(0, kMobileDigits)) &&
         is_mainland_mobile(digits.substr(kMobileDigits));
}

// `text` is folded and has no divider.
NormalValue read_one(std::string_view text, ForeignNumbers foreign) {
  const std::string number = without_separators(text);
  std::string_view digits = number;
  const bool plus = digits.starts_with('+');
  if (plus) digits.remove_prefix(1);
  const size_t second = digits.find('+');
  if (second != digits.npos && second >= kNumberDigits && are_digits(digits.substr(0, second)) &&
      digits.size() - second > kNumberDigits) {
    return {LeftOut::kSeveral, {}};
  }
  if (digits.empty() || !are_digits(digits)) return {LeftOut::kInvalid, {}};
  if (auto mobile = mainland_mobile(digits, plus)) return {LeftOut::kNo, *std::move(mobile)};
  if (are_two_mobiles(digits)) {
    const std::string_view one = digits.substr(0, kMobileDigits);
    if (one == digits.substr(kMobileDigits)) return {LeftOut::kNo, std::string(one)};
    return {LeftOut::kSeveral, {}};
  }
  const bool zeros = !plus && digits.starts_with("00");
  if (!plus && !zeros) return {LeftOut::kInvalid, {}};
  if (zeros) digits.remove_prefix(2);
  if (digits.starts_with("86")) return {LeftOut::kInvalid, {}};
  // "(0)" is a trunk zero, which the plan of a country drops: the library is given the digits as they stand.
  auto found = foreign == ForeignNumbers::kByPlan ? phone::e164("+" + std::string(digits)) : by_shape(digits);
  return found ? NormalValue{LeftOut::kNo, *std::move(found)} : NormalValue{LeftOut::kInvalid, {}};
}

std::string_view without_label(std::string_view text) {
  for (const std::string_view label : kLabels) {
    if (text.starts_with(label)) return strip(text.substr(label.size()));
  }
  return text;
}

size_t count_digits(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), is_digit));
}

// Pieces of a field that are numbers of their own, and whether there is anything else.
struct Pieces {
  std::vector<std::string> numbers;
  bool rest = false;
};

Pieces divide(std::string_view text) {
  Pieces out;
  std::string piece;
  const auto finish = [&] {
    const std::string_view written = without_label(strip(piece));
    if (count_digits(written) >= kNumberDigits) {
      out.numbers.emplace_back(written);
    } else if (!written.empty()) {
      out.rest = true;
    }
    piece.clear();
  };
  while (!text.empty()) {
    const Character character = first_character(text);
    if (is_divider(character.point)) {
      finish();
    } else {
      piece.append(text.substr(0, character.bytes));
    }
    text.remove_prefix(character.bytes);
  }
  finish();
  return out;
}

}  // namespace

// Eleven digits are the usual case and take no folding. A field may hold several numbers: it is divided
// first, and only when all pieces are one number is that number meant. A rest that is no number makes the
// field invalid, since nobody can say what the rest was to mean.
NormalValue read_phone(std::string_view value, ForeignNumbers foreign) {
  if (value.size() == kMobileDigits && are_digits(value)) {
    if (is_mainland_mobile(value)) return {LeftOut::kNo, std::string(value)};
    return {LeftOut::kInvalid, {}};
  }
  std::string text = lowercase(fold_width(without_guards(value)));
  const PlainNumber number = number_in_text(text);
  if (number.left_out != LeftOut::kNo) return {number.left_out, {}};
  if (number.text.size() >= kMobileDigits) text = number.text;
  const Pieces pieces = divide(without_label(text));
  if (pieces.numbers.empty() || pieces.rest) return {LeftOut::kInvalid, {}};
  NormalValue first = read_one(pieces.numbers.front(), foreign);
  for (const std::string& other : absl::MakeConstSpan(pieces.numbers).subspan(1)) {
    // One of them may be a landline, which is nobody's: still nobody knows which one was meant.
    const NormalValue second = read_one(other, foreign);
    const bool same =
        first.left_out == LeftOut::kNo && second.left_out == LeftOut::kNo && first.text == second.text;
    if (!same) return {LeftOut::kSeveral, {}};
  }
  return first;
}

}  // namespace kehu
