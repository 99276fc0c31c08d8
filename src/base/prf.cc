#include "base/prf.h"

#include <bit>
#include <cstring>

namespace kehu {

static_assert(std::endian::native == std::endian::little, "the words are hashed as they lie in memory");

uint64_t prf(const SipKey& seed, const Hash128& customer, uint64_t sequence) {
  const uint64_t words[] = {customer.high, customer.low, sequence};
  char bytes[sizeof(words)];
  std::memcpy(bytes, words, sizeof(words));
  return siphash128(seed, {bytes, sizeof(bytes)}).low;
}

}  // namespace kehu
