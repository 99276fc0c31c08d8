#pragma once

#include <string>
#include <string_view>

namespace kehu::rows {

// Bytes of a Parquet file that is not said to hold text, as DuckDB writes them ("\xE6\x9D\x8E", letters as
// they are), as what they are: text when they are UTF-8, without the NUL bytes that fill a column of fixed
// width, else their digits in hexadecimal ("e69d8e").
std::string binary_text(std::string_view escaped);

// The same for every string inside a JSON text.
std::string with_binary_texts(std::string_view json);

}  // namespace kehu::rows
