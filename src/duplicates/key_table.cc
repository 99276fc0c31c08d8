#include "duplicates/key_table.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

// The set is exact up to its hash, because a false repeat is an event lost without a word: a Bloom or
// cuckoo filter would be smaller and would lose some. Of the 76 bits of a key that are compared, 12 choose
// the part and need no room, 64 stand in the slot. Parts grow one at a time, so the longest pause is a
// rehash of ~6,000 keys among 20 M; incremental rehash of one table was the other way, and needs two
// look-ups a key while it runs. Probing is linear, so most look-ups end in the two cache lines that
// prefetch() has asked for. Measured with waves of 64: 40–55 ns a known key at 20 M, 50 ns a new one, 110
// ns on average while the set still grows. Huge pages changed nothing (docs/decisions/log.md).
namespace kehu::duplicates {
namespace {

constexpr uint32_t kCapacityMin = 16;
constexpr size_t kCacheLine = 64;

}  // namespace

// Says how full a part may get: between half and three quarters, with another mark for each, so that the
// parts, which all fill at the same rate, do not all grow in the same second.
uint32_t KeyTable::limit(uint32_t part, uint32_t capacity) {
  return capacity / 2 + static_cast<uint32_t>(uint64_t{capacity} / 4 * part / kParts);
}

KeyTable::Slots KeyTable::allocate(uint32_t capacity) {
  const size_t bytes = capacity * sizeof(Slot);
  auto* slots = static_cast<Slot*>(std::aligned_alloc(kCacheLine, bytes));
  KEHU_CHECK(slots != nullptr);
  std::memset(slots, 0, bytes);
  return Slots(slots);
}

KeyTable::Slot& KeyTable::slot_for(const Part& part, uint64_t low) {
  const uint32_t mask = part.capacity - 1;
  uint32_t at = static_cast<uint32_t>(low) & mask;
  while (part.slots[at].segment != 0 && part.slots[at].low != low) at = (at + 1) & mask;
  return part.slots[at];
}

// Asks for the line of the home slot and the next one: a run of used slots seldom reaches further.
void KeyTable::prefetch(uint64_t low, uint32_t high) const {
  const Part& part = parts_[part_of(high)];
  if (part.capacity == 0) return;
  const Slot* home = &part.slots[static_cast<uint32_t>(low) & (part.capacity - 1)];
  __builtin_prefetch(home, 1);
  __builtin_prefetch(home + kCacheLine / sizeof(Slot), 1);
}

KeyTable::Found KeyTable::find(const MessageKey& key) const {
  const Part& part = parts_[part_of(key.high)];
  if (part.capacity == 0) return Found::kNo;
  const Slot& slot = slot_for(part, key.low);
  if (slot.segment == 0) return Found::kNo;
  return slot.body == key.body ? Found::kSame : Found::kOtherBody;
}

// A key that is there keeps its segment. A repeat does not make a message live longer than the log keeps
// it.
KeyTable::Found KeyTable::find_or_add(const MessageKey& key, SegmentNumber segment) {
  const uint32_t index = part_of(key.high);
  Part& part = parts_[index];
  if (part.capacity > 0) {
    Slot& slot = slot_for(part, key.low);
    if (slot.segment != 0) return slot.body == key.body ? Found::kSame : Found::kOtherBody;
    if (part.used < limit(index, part.capacity)) {
      slot = {.low = key.low, .body = key.body, .segment = segment.value()};
      ++part.used;
      ++size_;
      return Found::kNo;
    }
  }
  rehash(index);
  return find_or_add(key, segment);
}

// Keys of segments that have left the log are dropped here and nowhere else: a part that has to grow is
// read as a whole anyway, while freeing one slot would have to move its neighbours. In the long run a part
// stays as large as it is, because what it drops makes room for what comes.
void KeyTable::rehash(uint32_t index) {
  Part& old = parts_[index];
  const auto live = [this](const Slot& slot) {
    return slot.segment != 0 && slot.segment >= first_live_.value();
  };
  const auto kept =
      static_cast<uint32_t>(std::count_if(old.slots.get(), old.slots.get() + old.capacity, live));
  // There must be room for at least a third more than what is kept, or the next rehash would come too soon.
  uint32_t capacity = std::max(old.capacity, kCapacityMin);
  while (kept + kept / 3 + 1 > limit(index, capacity)) capacity *= 2;
  Part grown{.slots = allocate(capacity), .capacity = capacity, .used = kept};
  for (uint32_t i = 0; i < old.capacity; ++i) {
    if (live(old.slots[i])) slot_for(grown, old.slots[i].low) = old.slots[i];
  }
  size_ -= old.used - kept;
  memory_bytes_ += (uint64_t{capacity} - old.capacity) * sizeof(Slot);
  old = std::move(grown);
}

}  // namespace kehu::duplicates
