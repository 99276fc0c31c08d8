#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "rule/value.h"

// A value whose type only the data knows, as one text of SQL. Its first character tells the type, so that
// statements can carry it through arg_min, CASE and lists, and ask for a type where the rule does:
//
//   "abc      a text (nothing is escaped, and no quote ends it)
//   12.50     a number, as it was written
//   t, f      a boolean
//   @1767225600000000   an instant, in microseconds
//   ["a","b"]  several texts, as JSON
namespace kehu::translation {

// nullopt of the unknown.
std::optional<std::string> tagged(const rule::Value& value);
rule::Value untagged(std::string_view text);

}  // namespace kehu::translation
