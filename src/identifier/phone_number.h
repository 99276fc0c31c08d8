#pragma once

#include <string_view>

#include "identifier/normal_value.h"

namespace kehu {

enum class ForeignNumbers : bool {
  kByShape,  // + or 00 and 7 to 15 digits
  kByPlan,   // numbers that their country has (phone/number.h)
};

// A mainland mobile number as its eleven digits, however it is written: +86, 0086, 86, a trunk zero, a
// carrier's prefix, spaces, dashes, dots, brackets, full-width digits, tel:, quotation marks. Others as + and
// digits. Refused: landlines of China, whatever has an extension (a relay number of many), two different
// numbers (kSeveral). ~10 ns for eleven plain digits; only numbers that are no Chinese mobile ever reach
// libphonenumber.
NormalValue read_phone(std::string_view value, ForeignNumbers foreign);

}  // namespace kehu
