#pragma once

#include "base/time.h"

namespace kehu {

// SIGTERM and SIGINT as an event to wait for. Made on the main thread before any other thread starts, so that
// all of them leave these signals alone.
class StopSignal {
 public:
  StopSignal();
  // True when a signal came within `patience`.
  bool wait(Duration patience);
};

}  // namespace kehu
