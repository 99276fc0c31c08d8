#pragma once

#include <cstddef>

namespace kehu::os {

// Gives memory back to the system that the allocator keeps for later although nobody needed it for ten calls:
// after a peak the process is as small again as before. Called about once a second, by one thread. Does
// nothing where the allocator is not tcmalloc.
class UnusedMemory {
 public:
  void look();

 private:
  static constexpr int kWindow = 10;
  static constexpr size_t kWorthwhile = 8u << 20;

  size_t least_ = ~size_t{0};  // free at every look of this window
  int looks_ = 0;
};

}  // namespace kehu::os
