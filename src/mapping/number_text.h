#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kehu::mapping {

// A number as files write it, in JSON's spelling: "007" → 7, "+5" → 5, ".50" → 0.5, "266079.0" → 266079,
// "1e3" → 1e3, and with thousands ',' "1,234.5" → 1234.5. All digits are kept. False when it is no number;
// `out` is then unspecified.
bool append_number(std::string_view text, std::optional<char> thousands, std::string& out);

// The product of plain decimals as a number with at most four decimals, half away from zero. nullopt when it
// is larger than Decimal holds.
std::optional<std::string> product_text(std::string_view a, std::string_view b);

}  // namespace kehu::mapping
