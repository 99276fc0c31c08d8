#pragma once

#include <compare>
#include <cstdint>

#include "base/strong.h"

namespace kehu::log {

// Segments are numbered from 1 without gaps; a number is never used again. 0 means none.
using SegmentNumber = Strong<struct SegmentNumberTag, uint32_t>;

// A place in the log: a byte of a segment.
struct Position {
  SegmentNumber segment;
  uint32_t offset = 0;
  constexpr auto operator<=>(const Position&) const = default;
};

}  // namespace kehu::log
