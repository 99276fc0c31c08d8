#include "base/siphash.h"

#include <bit>
#include <cstring>

// This is SipHash-2-4 with 128 bits (Aumasson, Bernstein 2012): it has two rounds for each word of eight
// bytes, and four for each half of the output. The last word carries the length in its upper byte, so texts
// that differ in trailing zeros differ. The constants 0xee and 0xdd are those of the variant with 128 bits,
// whose low half is therefore not the 64-bit SipHash.
namespace kehu {
namespace {

struct State {
  uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }

  void absorb(uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }

  uint64_t squeeze() {
    for (int i = 0; i < 4; ++i) round();
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

uint64_t load(const char* bytes, size_t count) {
  uint64_t word = 0;
  std::memcpy(&word, bytes, count);
  return word;
}

}  // namespace

Hash128 siphash128(const SipKey& key, std::string_view bytes) {
  State state{key[0] ^ 0x736f6d6570736575ULL, key[1] ^ 0x646f72616e646f6dULL ^ 0xee,
              key[0] ^ 0x6c7967656e657261ULL, key[1] ^ 0x7465646279746573ULL};
  const size_t whole = bytes.size() & ~size_t{7};
  for (size_t i = 0; i < whole; i += 8) state.absorb(load(bytes.data() + i, 8));
  state.absorb(load(bytes.data() + whole, bytes.size() - whole) | static_cast<uint64_t>(bytes.size()) << 56);
  state.v2 ^= 0xee;
  Hash128 out;
  out.low = state.squeeze();
  state.v1 ^= 0xdd;
  out.high = state.squeeze();
  return out;
}

}  // namespace kehu
