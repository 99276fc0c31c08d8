#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kehu {

// What a value reads as, whoever put it wherever.
enum class PersonalKind : uint8_t { kNone, kPhone, kEmail, kIdCard };
std::string_view to_string(PersonalKind kind);

// A whole value, as a client wrote it: a mainland mobile number (+86, 0086, separators and full-width digits
// are read over, and what a spreadsheet makes of it: 13912345678.0, 1.3912345678E10), an e-mail address, or
// an ID card's number with a right date and check digit. Most values cost a look at the first character and
// one for an @.
PersonalKind personal_kind(std::string_view value);

// Of a text with one of them anywhere in it, the first. ~1 ns a byte.
PersonalKind personal_kind_inside(std::string_view text);

// A name in which every such value gives way to what it was and four hexadecimal digits of its hash:
// "王五13912345678.csv" is "王五phone-3f9a.csv". So two names stay apart, and of ten thousand numbers nobody
// can tell which one it was. Texts between underscores are read by themselves. Full width becomes ASCII where
// there is any.
std::string without_personal_values(std::string_view name);

// Eleven digits and nothing else could be a number of anything; every other value that is personal could not.
bool is_bare_number(std::string_view value);

}  // namespace kehu
