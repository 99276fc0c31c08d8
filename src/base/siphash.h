#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/hash.h"

namespace kehu {

using SipKey = std::array<uint64_t, 2>;

// SipHash-2-4 with 128 bits of output (Aumasson, Bernstein 2012): a keyed pseudo-random function. Without the
// key nobody can compute, guess or collide its values. ~25 ns for 16 bytes.
Hash128 siphash128(const SipKey& key, std::string_view bytes);

}  // namespace kehu
