#include "os/unused_memory.h"

#include <algorithm>

// These are gperftools' own names. They are weak, since a sanitizer brings another allocator.
extern "C" {
__attribute__((weak)) int MallocExtension_GetNumericProperty(const char* property, size_t* value);
__attribute__((weak)) void MallocExtension_ReleaseToSystem(size_t bytes);
}

namespace kehu::os {

// Gives back only what was free at every look of a window. What comes and goes within one would be asked
// for again at once.
void UnusedMemory::look() {
  if (MallocExtension_GetNumericProperty == nullptr || MallocExtension_ReleaseToSystem == nullptr) return;
  size_t free_bytes = 0;
  if (MallocExtension_GetNumericProperty("tcmalloc.pageheap_free_bytes", &free_bytes) == 0) return;
  least_ = std::min(least_, free_bytes);
  if (++looks_ < kWindow) return;
  if (least_ >= kWorthwhile) MallocExtension_ReleaseToSystem(least_);
  least_ = ~size_t{0};
  looks_ = 0;
}

}  // namespace kehu::os
