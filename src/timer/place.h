#pragma once

#include <array>
#include <compare>
#include <cstdint>

#include "base/hash.h"
#include "timer/timer.h"

namespace kehu::timer {

// A level is one hexadecimal digit of a place: 16 of the due time, from 2^60 us down to 1 us, then 32 of the
// id, so that timers of one microsecond have levels, too.
inline constexpr int kDigitBits = 4;
inline constexpr int kSlotsPerWheel = 1 << kDigitBits;
inline constexpr int kLevels = 3 * 64 / kDigitBits;

// Where a timer stands in the order of firing: (due, id) as one number, most significant word first.
struct Place {
  std::array<uint64_t, 3> words = {};
  constexpr auto operator<=>(const Place&) const = default;

  int digit(int level) const;
};

Place place_of(Instant due, TimerId id);

// The first level at which two places have different digits; kLevels when there is none.
int first_difference(const Place& a, const Place& b);

// All places whose first `depth` digits are those of `prefix`; the digits behind are zero.
struct Slot {
  int depth = 0;
  Place prefix = {};
  bool operator==(const Slot&) const = default;
};

Slot slot_around(const Place& place, int depth);

// The key of a slot's blob.
Hash128 address_of(const Slot& slot);

}  // namespace kehu::timer
