#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kehu {

// 128 bits that stand for something longer. Ordered and printed as 32 hexadecimal digits, high half first.
struct Hash128 {
  uint64_t high = 0;
  uint64_t low = 0;

  constexpr auto operator<=>(const Hash128&) const = default;
  constexpr bool is_zero() const { return high == 0 && low == 0; }

  std::string hex() const;
  static std::optional<Hash128> from_hex(std::string_view text);

  template <class H>
  friend H AbslHashValue(H state, const Hash128& hash) {
    return H::combine(std::move(state), hash.low);
  }
};

// XXH3: fast, not keyed. For tables, digests and checksums of our own data; never for anything an outsider
// could gain from colliding (that is siphash.h).
uint64_t hash64(std::string_view bytes, uint64_t seed = 0);
Hash128 hash128(std::string_view bytes, uint64_t seed = 0);

// One more value into a running hash; the order of calls matters.
uint64_t hash_combine(uint64_t hash, uint64_t value);

}  // namespace kehu
