#pragma once

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace kehu {

// How often a test repeats what chance or place decides: `usual` times, `when_long` times with KEHU_LONG=1
// (make test-long), a quarter of the usual with KEHU_BRIEF=1 (the sanitizer runs, which are as much slower).
inline int rounds(int usual, int when_long) {
  const auto set = [](const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr && std::string_view(value) == "1";
  };
  if (set("KEHU_LONG")) return when_long;
  return set("KEHU_BRIEF") ? std::max(1, usual / 4) : usual;
}

}  // namespace kehu
