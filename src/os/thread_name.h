#pragma once

namespace kehu::os {

// Names the calling thread for top, perf and core dumps; at most 15 characters.
void name_this_thread(const char* name);

}  // namespace kehu::os
