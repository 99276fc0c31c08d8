#pragma once

#include <cstdint>

#include "base/time.h"

namespace kehu {

// How many events a sender may still send now. Holds what the rate gives in one second, at least one event,
// and may be overdrawn once: a batch that is let in is taken as a whole and paid back before the next one, so
// the rate over time is exact whatever the size of the batches. Integers only: nothing is lost by rounding.
// One thread at a time.
class TokenBucket {
 public:
  // Full at `now`. Up to a billion events a second, and not 0.
  TokenBucket(uint32_t events_per_second, Instant now);

  // Keeps what is in it, but no more than the new rate gives in a second.
  void set_rate(uint32_t events_per_second);
  uint32_t rate() const { return rate_; }

  // How long until the next event is let in; zero when it is now. A clock that goes backwards gives nothing
  // and takes nothing.
  Duration wait(Instant now);
  // Takes so many events, also beyond what is there. After a wait() of zero.
  void charge(uint64_t events, Instant now);
  // True when nothing was taken for so long that a new bucket is the same.
  bool is_full(Instant now);

 private:
  // One event; one microsecond gives as many parts as the rate has events.
  static constexpr int64_t kEvent = 1'000'000;

  void refill(Instant now);
  int64_t capacity() const { return static_cast<int64_t>(rate_) * kEvent; }

  uint32_t rate_;
  int64_t level_;
  Instant filled_;
};

}  // namespace kehu
