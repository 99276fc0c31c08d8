#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace kehu::text {

// A number as programs write it, in JSON's spelling: "007" → 7, "+5" → 5, ".50" → 0.5, "266079.0" → 266079,
// "1e3" → 1e3, and with thousands ',' "1,234.5" → 1234.5. All digits are kept. False when it is no number;
// `out` is then unspecified.
bool append_number(std::string_view text, std::optional<char> thousands, std::string& out);

// The one reading of numbers, for properties, products, sums and conditions alike: what append_number reads,
// and amounts as people write them ("1,299.00", "¥99", "99元", " 50 ", "－１２"; base/money_text.h has the
// rules), those with at most four decimals. `thousands` are dropped first. nullopt when it is no number.
std::optional<std::string> read_number(std::string_view text, std::optional<char> thousands);

// Appends a number that is whole as plain digits: "2001.0" and "2.001e3" as 2001. False, and nothing is
// appended, when it is none, has a fraction, or has more than 40 digits.
bool append_whole_number(std::string_view number, std::string& out);

// Numbers in JSON's spelling, compared exactly whatever their length.
std::strong_ordering compare_numbers(std::string_view a, std::string_view b);

// The product of plain decimals as a number with at most four decimals, half away from zero. nullopt when it
// is larger than Decimal holds.
std::optional<std::string> product_text(std::string_view a, std::string_view b);

// The sum, with at most four decimals of each. nullopt when one of the three is larger than Decimal holds.
std::optional<std::string> sum_text(std::string_view a, std::string_view b);

}  // namespace kehu::text
