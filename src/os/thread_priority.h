#pragma once

namespace kehu::os {

// Makes the calling thread, and threads it starts from now on, give way to the others when the processors are
// busy (nice 10). For background work.
void lower_this_thread_priority();

}  // namespace kehu::os
