#pragma once

#include <string>
#include <string_view>

namespace kehu {

// Text as SQL writes it: in single quotes, with those inside doubled. A statement ends at a NUL for DuckDB's
// parser, so texts with one are an expression that puts it together.
inline std::string sql_literal(std::string_view text) {
  const bool has_nul = text.find('\0') != std::string_view::npos;
  std::string out = has_nul ? "('" : "'";
  for (const char c : text) {
    if (c == '\0') {
      out.append("' || chr(0) || '");
      continue;
    }
    if (c == '\'') out.push_back('\'');
    out.push_back(c);
  }
  out.append(has_nul ? "')" : "'");
  return out;
}

}  // namespace kehu
