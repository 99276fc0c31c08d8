#pragma once

#include <string>
#include <string_view>

#include "model/event.h"
#include "model/settings.h"

namespace kehu {

enum class Written : bool { kAsText, kAsNumber };

struct IdentifierValue {
  LeftOut left_out = LeftOut::kNo;  // kBlocked, kInvalid, kDigitsLost or kSeveral
  std::string_view text;            // as it is compared, or as it was written when it is left out
};

// What the value of an identifier means, the same at every door: the number behind a number's spelling, the
// text that a spreadsheet wrapped, as the type's normaliser compares it; left out when it names nobody by the
// table (nobody.h) or by the settings. `scratch` holds the text when it is not as written. ~10 ns and no
// allocation for an id of printable ASCII that needs nothing.
IdentifierValue read_identifier(const Settings& settings, const IdentifierRule& rule, std::string_view value,
                                Written written, std::string& scratch);

// True for values that name nobody: of the table (nobody.h), of the project's list, and of
// rule.blocked.
bool is_blocked(const Settings& settings, const IdentifierRule& rule, std::string_view value);

// As the project's list is compared: without white space and quotation marks around, in lower case, width
// folded.
std::string folded_nobody(std::string_view value);

}  // namespace kehu
