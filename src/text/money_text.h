#pragma once

#include <optional>
#include <string_view>

#include "base/money.h"
#include "text/currency.h"

namespace kehu::text {

struct MoneyText {
  Decimal amount;
  CurrencyCode currency;  // that stands beside the number; mostly empty
};

// An amount as people and spreadsheets write it: "99.5", " 1,299.00 ", "¥99", "￥１，２９９", "99元",
// "$19.99", "99.50 CNY", "1.299,00", "1 299,00", "(99)", "99-", "1.2万元". nullopt when it is no amount, has
// more than one reading that the rules do not settle, or is out of a Decimal's range. The rules, with what is
// ambiguous:
//
//   - Full width is folded; blanks, no-break blanks and invisible characters around pieces are dropped.
//   - A currency (currency.h) stands before or behind the number, or both when they agree.
//   - A minus stands first, behind the currency or last; parentheses mean minus too; ".-" and ",-" mean no
//   cents.
//   - Both "," and ".": the last one is the decimal mark, the other one groups.
//   - One "," alone: three digits behind it and one to three before it, the first not 0, are groups ("1,299"
//   is
//     1299); else it is the decimal mark ("12,50", "0,299", "1299,000"), with at most three digits behind it.
//   - One "." alone is always the decimal mark ("1.299" is 1.299). A mark that comes twice groups.
//   - Blanks, ' and ’ only group. Groups have three digits (the first: one to three), or as in India two and
//     a last one of three.
//   - 万 and 亿 behind the number multiply it.
//
// Plain numbers as JSON writes them take no allocation (~20 ns).
std::optional<MoneyText> read_money(std::string_view text);

}  // namespace kehu::text
