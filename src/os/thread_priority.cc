#include "os/thread_priority.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace kehu::os {

void lower_this_thread_priority() {
  // On Linux nice values belong to threads. A thread without the right to set it stays as it was.
  (void)setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), 10);
}

}  // namespace kehu::os
