#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/hash.h"

// What all blobs of this folder begin with (docs/formats/timers.md).
namespace kehu::timer {

inline constexpr char kVersion = 1;
inline constexpr size_t kHeadBytes = 2;
inline constexpr Hash128 kRootAddress = {};

enum class Shape : uint8_t { kNone = 0, kRoot = 1, kPage = 2, kWheel = 3 };

inline void append_head(Shape shape, std::string& out) {
  out.push_back(kVersion);
  out.push_back(static_cast<char>(shape));
}

// kNone for an empty blob. Another version ends the program: it is not ours to write over.
inline Shape shape_of(std::string_view blob) {
  if (blob.empty()) return Shape::kNone;
  KEHU_CHECK(blob.size() >= kHeadBytes && blob[0] == kVersion);
  return static_cast<Shape>(blob[1]);
}

}  // namespace kehu::timer
