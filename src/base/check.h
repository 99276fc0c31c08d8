#pragma once

// KEHU_CHECK(condition) stays on in release. A failed check is a bug of ours: it prints the place and aborts,
// because going on with broken state would write wrong answers to disk.

namespace kehu {

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace kehu

#define KEHU_CHECK(condition)                               \
  do {                                                      \
    if (__builtin_expect(!(condition), 0)) {                \
      ::kehu::check_failed(#condition, __FILE__, __LINE__); \
    }                                                       \
  } while (false)
