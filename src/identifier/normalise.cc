#include <algorithm>
#include <array>

#include "identifier/email_address.h"
#include "identifier/normal_value.h"
#include "identifier/phone_number.h"
#include "model/characters.h"
#include "model/settings.h"
#include "model/spreadsheet.h"

namespace kehu {
namespace {

// These stand for X on a Chinese keyboard: the Roman numeral ten, large and small, and the sign of
// multiplication.
constexpr std::string_view kTens[] = {"Ⅹ", "ⅹ", "×"};

NormalValue read_name(std::string_view value) {
  std::string_view text = without_guards(value);
  std::string visible;
  if (!is_plain(text)) {
    visible = without_invisible(text);
    text = without_guards(visible);
  }
  PlainNumber number = number_in_text(text);
  if (number.left_out != LeftOut::kNo) return {number.left_out, {}};
  return {LeftOut::kNo, number.text.empty() ? std::string(text) : std::move(number.text)};
}

std::string without_separators(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Character character = first_character(text);
    const char32_t point = character.point;
    const bool dash = point == '-' || (point >= 0x2010 && point <= 0x2015);
    const bool separator =
        dash || point == '.' || point == '(' || point == ')' || is_blank(point) || is_invisible(point);
    if (!separator) out.append(text.substr(0, character.bytes));
    text.remove_prefix(character.bytes);
  }
  return out;
}

// GB 11643-1999 (ISO 7064 MOD 11-2): the eighteenth character makes the weighted sum 1 modulo 11. It
// catches a single wrong digit, so a card that was mistyped becomes nobody's instead of a stranger's.
bool has_right_check_digit(std::string_view card) {
  static constexpr std::array<int, 17> kWeights = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  static constexpr std::string_view kCheckDigits = "10X98765432";
  if (card.size() != 18) return false;
  int sum = 0;
  for (size_t i = 0; i < kWeights.size(); ++i) {
    if (!is_digit(card[i])) return false;
    sum += (card[i] - '0') * kWeights[i];
  }
  return card.back() == kCheckDigits[static_cast<size_t>(sum % 11)];
}

NormalValue read_id_card(std::string_view value) {
  std::string card = fold_width(without_guards(value));
  const PlainNumber number = number_in_text(card);
  if (number.left_out != LeftOut::kNo) return {number.left_out, {}};
  card = without_separators(card);
  for (const std::string_view ten : kTens) {
    if (card.ends_with(ten)) card.replace(card.size() - ten.size(), ten.size(), "X");
  }
  if (card.ends_with('x')) card.back() = 'X';
  if (!has_right_check_digit(card)) return {LeftOut::kInvalid, {}};
  return {LeftOut::kNo, std::move(card)};
}

}  // namespace

NormalValue read_value(Normaliser normaliser, std::string_view value) {
  switch (normaliser) {
    case Normaliser::kTrim:
      return read_name(value);
    case Normaliser::kLowercase: {
      NormalValue name = read_name(value);
      name.text = lowercase(name.text);
      return name;
    }
    case Normaliser::kEmail:
      return read_email(value);
    case Normaliser::kChinesePhone:
      return read_phone(value, ForeignNumbers::kByShape);
    case Normaliser::kPhone:
      return read_phone(value, ForeignNumbers::kByPlan);
    case Normaliser::kIdCard:
      return read_id_card(value);
  }
  return {LeftOut::kInvalid, {}};
}

std::optional<std::string> normalise(Normaliser normaliser, std::string_view value) {
  NormalValue read = read_value(normaliser, value);
  if (read.left_out != LeftOut::kNo) return std::nullopt;
  return std::move(read.text);
}

std::optional<std::string> old_spelling(Normaliser normaliser, std::string_view value) {
  switch (normaliser) {
    case Normaliser::kTrim:
      return std::string(strip(value));
    case Normaliser::kLowercase:
      return lowercase(strip(value));
    case Normaliser::kEmail:
      return lowercase(fold_width(strip(value)));
    default:
      return std::nullopt;
  }
}

}  // namespace kehu
