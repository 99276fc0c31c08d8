#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/hash.h"
#include "base/time.h"
#include "model/ids.h"

namespace kehu::timer {

// Chosen by whoever sets the timer: the hash of what it is for, or random bits.
struct TimerId {
  Hash128 hash;
  constexpr auto operator<=>(const TimerId&) const = default;
};

inline constexpr size_t kPayloadBytes = 64;

// What is to happen to a customer at a time.
struct Timer {
  Instant due;
  TimerId id;
  CustomerId owner;               // as named when it was set; see timers.h
  uint16_t kind = 0;              // whose timer it is, as the caller numbers them
  std::string_view payload = {};  // at most kPayloadBytes; means something to the caller only
  bool operator==(const Timer&) const = default;
};

}  // namespace kehu::timer
