#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include "timer/place.h"

namespace kehu::timer {

// A slot that is too full for a page: 16 finer slots, told apart by the digit of one level. All its places
// share the digits before that level. Its blob is 5 bytes and half a byte for each of those digits.
struct Wheel {
  int level = 0;
  Place prefix = {};      // the shared digits; zero behind them
  uint16_t occupied = 0;  // bit d: the slot of digit d has timers

  bool has(int digit) const { return (occupied >> digit & 1) != 0; }
  void add(int digit) { occupied |= static_cast<uint16_t>(1 << digit); }
  void remove(int digit) { occupied &= static_cast<uint16_t>(~(1 << digit)); }
  int slots() const { return std::popcount(occupied); }
  // The occupied slot that is due first. Not of an empty wheel.
  int first() const { return std::countr_zero(occupied); }
  bool covers(const Place& place) const { return first_difference(place, prefix) >= level; }
  Slot slot(int digit) const;

  bool operator==(const Wheel&) const = default;
};

bool is_wheel(std::string_view blob);
void append_wheel(const Wheel& wheel, std::string& out);
// Bytes that are not a wheel end the program: the store has checksums, so they are a bug.
Wheel parse_wheel(std::string_view blob);

}  // namespace kehu::timer
