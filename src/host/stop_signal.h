#pragma once

#include <utility>

#include "base/time.h"

namespace kehu::host {

// SIGTERM and SIGINT as an event to wait for. Made on the main thread before any other thread starts, so that
// all of them leave these signals alone.
class StopSignal {
 public:
  // What SIGHUP does: end the process, as it does by itself, or be told by take_reload().
  enum class Hangup { kEnds, kReloads };
  explicit StopSignal(Hangup hangup = Hangup::kEnds);
  // True when a signal came within `patience`.
  bool wait(Duration patience);
  // True when a SIGHUP came during wait() since the last call.
  bool take_reload() { return std::exchange(reload_, false); }

 private:
  const Hangup hangup_;
  bool reload_ = false;
};

}  // namespace kehu::host
