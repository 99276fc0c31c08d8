#include "timer/place.h"

#include <bit>
#include <cstring>

#include "base/check.h"

namespace kehu::timer {
namespace {

constexpr int kDigitsPerWord = 64 / kDigitBits;
constexpr uint64_t kSign = uint64_t{1} << 63;  // so that times before 1970 come first

}  // namespace

int Place::digit(int level) const {
  const int shift = 64 - kDigitBits * (level % kDigitsPerWord + 1);
  return static_cast<int>(words[level / kDigitsPerWord] >> shift) & (kSlotsPerWheel - 1);
}

Place place_of(Instant due, TimerId id) {
  return Place{{static_cast<uint64_t>(due.micros()) ^ kSign, id.hash.high, id.hash.low}};
}

// Two places are compared a word at a time: the leading zeros of their difference count the digits that
// they share.
int first_difference(const Place& a, const Place& b) {
  for (int word = 0; word < 3; ++word) {
    const uint64_t difference = a.words[word] ^ b.words[word];
    if (difference != 0) return word * kDigitsPerWord + std::countl_zero(difference) / kDigitBits;
  }
  return kLevels;
}

Slot slot_around(const Place& place, int depth) {
  KEHU_CHECK(depth >= 0 && depth <= kLevels);
  Slot slot{depth, place};
  for (int word = 0; word < 3; ++word) {
    const int digits = depth - word * kDigitsPerWord;
    if (digits <= 0) slot.prefix.words[word] = 0;
    if (digits > 0 && digits < kDigitsPerWord)
      slot.prefix.words[word] &= ~uint64_t{0} << (64 - kDigitBits * digits);
  }
  return slot;
}

// 192 bits of prefix do not fit a key, so it is their hash. XXH3 is not made to withstand an attacker, and
// need not: due times and ids are made by the house, not sent to it.
Hash128 address_of(const Slot& slot) {
  char bytes[sizeof(slot.prefix.words) + 1];
  std::memcpy(bytes, slot.prefix.words.data(), sizeof(slot.prefix.words));
  bytes[sizeof(slot.prefix.words)] = static_cast<char>(slot.depth);
  return hash128({bytes, sizeof(bytes)});
}

}  // namespace kehu::timer
