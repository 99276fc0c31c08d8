#include "aggregate/properties.h"

#include "model/spreadsheet.h"
#include "text/money_text.h"

namespace kehu::aggregate {

// Spells a number as it is spelt without point and exponent, so that 1001, 1001.0 and 1.001e3 are one
// value to whoever counts values. Where a number's digits are lost, its spelling is all there is, and it
// stays.
std::string_view TextPool::number_text(std::string_view number) {
  const bool plain = number.find_first_of(".eE") == number.npos && number != "-0";
  if (plain) return number;
  const PlainNumber read = plain_number(number);
  return read.text.empty() ? number : keep(read.text);
}

std::string_view TextPool::text_of(const json::RawValue& value) {
  switch (value.kind) {
    case json::Kind::kString: {
      const std::string_view text = value.as_string(unescaped_);
      return text.data() == unescaped_.data() ? keep(text) : text;
    }
    case json::Kind::kNumber:
      return number_text(value.raw);
    case json::Kind::kBool:
      return value.raw;
    default:
      return {};
  }
}

std::optional<Decimal> number_of(const json::RawValue& value, TextPool& pool) {
  if (value.is_number()) return Decimal::parse(value.raw);
  if (!value.is_string()) return std::nullopt;
  const auto money = text::read_money(pool.text_of(value));
  return money ? std::optional(money->amount) : std::nullopt;
}

}  // namespace kehu::aggregate
