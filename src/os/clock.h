#pragma once

#include <atomic>

#include "base/time.h"

namespace kehu::os {

// Any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  // UTC as the machine knows it; may jump either way.
  virtual Instant now() = 0;
  // Time since some fixed moment; never goes back, for measuring lengths. ~20 ns.
  virtual Duration monotonic() = 0;
};

Clock& system_clock();

// A clock that a test moves by hand.
class ManualClock : public Clock {
 public:
  explicit ManualClock(Instant start) : now_(start.micros()) {}

  Instant now() override { return Instant(now_.load()); }
  Duration monotonic() override { return Duration(monotonic_.load()); }

  void advance(Duration by) {
    now_ += by.micros();
    monotonic_ += by.micros();
  }
  // As an operator or NTP sets a wrong clock right: monotonic() does not notice.
  void jump_to(Instant instant) { now_ = instant.micros(); }

 private:
  std::atomic<int64_t> now_;
  std::atomic<int64_t> monotonic_{0};
};

}  // namespace kehu::os
