#include "timer/wheel.h"

#include "base/check.h"
#include "codec/bytes.h"
#include "timer/format.h"

// A wheel says nothing of its slots but which of them exist. Their keys follow from its digits, so no blob
// holds a pointer that could be out of step with what it points to.
namespace kehu::timer {
namespace {

size_t prefix_bytes(int level) { return (static_cast<size_t>(level) * kDigitBits + 7) / 8; }

uint64_t& word_of(Place& place, size_t byte) { return place.words[byte / 8]; }
int shift_of(size_t byte) { return 56 - 8 * static_cast<int>(byte % 8); }

}  // namespace

Slot Wheel::slot(int digit) const {
  Slot slot{level + 1, prefix};
  const int bit = level * kDigitBits;
  slot.prefix.words[bit / 64] |= static_cast<uint64_t>(digit) << (64 - kDigitBits - bit % 64);
  return slot;
}

bool is_wheel(std::string_view blob) { return shape_of(blob) == Shape::kWheel; }

void append_wheel(const Wheel& wheel, std::string& out) {
  append_head(Shape::kWheel, out);
  codec::ByteWriter writer(out);
  writer.fixed(static_cast<uint8_t>(wheel.level));
  writer.fixed(wheel.occupied);
  Place prefix = wheel.prefix;
  for (size_t i = 0; i < prefix_bytes(wheel.level); ++i)
    writer.fixed(static_cast<uint8_t>(word_of(prefix, i) >> shift_of(i)));
}

// A wheel with one slot would be a level that tells nothing apart; writers replace it, so it is refused
// here.
Wheel parse_wheel(std::string_view blob) {
  KEHU_CHECK(is_wheel(blob));
  codec::ByteReader reader(blob.substr(kHeadBytes));
  Wheel wheel;
  wheel.level = reader.fixed<uint8_t>();
  wheel.occupied = reader.fixed<uint16_t>();
  KEHU_CHECK(wheel.level < kLevels && wheel.slots() >= 2);
  for (size_t i = 0; i < prefix_bytes(wheel.level); ++i)
    word_of(wheel.prefix, i) |= uint64_t{reader.fixed<uint8_t>()} << shift_of(i);
  KEHU_CHECK(!reader.failed() && reader.at_end());
  return wheel;
}

}  // namespace kehu::timer
