#pragma once

#include <string>
#include <string_view>

namespace kehu {

// Text as SQL writes it: in single quotes, with those inside doubled.
inline std::string sql_literal(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out.push_back('\'');
    out.push_back(c);
  }
  out.push_back('\'');
  return out;
}

}  // namespace kehu
