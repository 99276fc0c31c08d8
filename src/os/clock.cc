#include "os/clock.h"

#include <time.h>

namespace kehu::os {
namespace {

int64_t micros_of(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return time.tv_sec * 1'000'000 + time.tv_nsec / 1000;
}

class SystemClock : public Clock {
 public:
  Instant now() override { return Instant(micros_of(CLOCK_REALTIME)); }
  Duration monotonic() override { return Duration(micros_of(CLOCK_MONOTONIC)); }
};

}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

}  // namespace kehu::os
