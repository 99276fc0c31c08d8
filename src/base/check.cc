#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace kehu {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "kehu: internal error: %s is false at %s:%d\n", condition, file, line);
  std::abort();
}

}  // namespace kehu
