#pragma once

#include <string_view>

// Values that no customer has: what programs write when they do not know who it is. Two customers who both
// "have" such a value would become one, so it joins nobody, whatever the type of the identifier.
namespace kehu {

// True for a value of the table (nobody_table.h), compared without case, width, blanks, invisible characters
// and punctuation; for one that has no letter or digit at all, or is only zeros, or only x; for an object, an
// error of a spreadsheet, or a template that was not filled in. ~3 ns for the usual id, which its ends and
// its length tell apart.
bool names_nobody(std::string_view value);

}  // namespace kehu
