#pragma once

#include <string_view>

#include "identifier/normal_value.h"

namespace kehu {

// The address alone, in lower case: without mailto:, a name before it and angle brackets, quotation marks,
// commas, semicolons and full stops around it; full-width characters folded; xn-- labels of the domain in
// their own script. Refused: what has not one @ and a dotted domain; two different addresses (kSeveral).
NormalValue read_email(std::string_view value);

}  // namespace kehu
