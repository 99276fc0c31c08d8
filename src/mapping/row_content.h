#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "json/index.h"
#include "rows/row.h"

namespace kehu::mapping {

// What a row says, however a program spells it: the same when the file was saved again with other quotes,
// line ends, delimiters, or, in JSON, other blanks, escapes and orders of members. Numbers and texts count as
// they stand.
struct RowContent {
  std::string text;  // equal for equal rows; of JSON a hash
  size_t bytes = 0;  // of all that stands in the row, however it is spelt
};

// Of the row that its reader gave last. What cannot be read says its bytes.
RowContent content_of(const rows::Row& row);

// Of a JSON text that was scanned.
Hash128 json_content(const json::Index& index);

// A text without quotes and carriage returns, which programs write in their own ways.
std::string without_quotes(std::string_view text);

}  // namespace kehu::mapping
