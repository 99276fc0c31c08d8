#include "state/blob_table.h"

#include <cstdlib>
#include <cstring>

#include "base/check.h"

// Probing is linear, in 64 tables instead of one: a table that grows moves a 64th of the keys, so no event
// waits for all of them. Keys are hashes, so their bits are taken as they are. A blob has a quarter of room
// to grow, since counters and lists of a customer grow a little with each event: most updates copy bytes
// into place and allocate nothing.
namespace kehu::state {
namespace {

constexpr size_t kFirstSlots = 16;
constexpr uint32_t kAllocatorOverhead = 8;  // glibc's malloc, per block

// Blocks of malloc are multiples of 16 bytes with 8 of them its own: the rest of the last 16 is taken, too.
uint32_t capacity_for(size_t size) {
  const size_t roomy = size + size / 4;
  return static_cast<uint32_t>((roomy + kAllocatorOverhead + 15) / 16 * 16 - kAllocatorOverhead);
}

}  // namespace

BlobTable::BlobTable() {
  for (Segment& segment : segments_) segment.slots.resize(kFirstSlots);
  slot_bytes_ = kSegments * kFirstSlots * sizeof(Slot);
}

BlobTable::~BlobTable() {
  for (Segment& segment : segments_) {
    for (Slot& slot : segment.slots) std::free(slot.blob);
  }
}

Slot* BlobTable::find(const Hash128& key) {
  Segment& segment = segment_of(key);
  for (size_t i = segment.bucket(key);; i = segment.after(i)) {
    Slot& slot = segment.slots[i];
    if (!slot.used) return nullptr;
    if (slot.key == key) return &slot;
  }
}

Slot& BlobTable::insert(const Hash128& key) {
  if (Slot* found = find(key)) return *found;
  Segment& segment = segment_of(key);
  if ((segment.count + 1) * 5 > segment.slots.size() * 4) grow(segment);
  size_t i = segment.bucket(key);
  while (segment.slots[i].used) i = segment.after(i);
  Slot& slot = segment.slots[i];
  slot.key = key;
  slot.used = 1;
  ++segment.count;
  ++count_;
  return slot;
}

// A blob that has shrunk to less than half of its room is moved to a smaller block.
void BlobTable::assign(Slot& slot, std::string_view bytes) {
  const bool fits = slot.blob != nullptr && bytes.size() <= slot.capacity &&
                    capacity_for(bytes.size()) * 2 >= slot.capacity;
  if (!fits) {
    if (slot.blob != nullptr) blob_bytes_ -= slot.capacity + kAllocatorOverhead;
    std::free(slot.blob);
    slot.capacity = capacity_for(bytes.size()) & 0x3fff'ffff;
    slot.blob = static_cast<char*>(std::malloc(slot.capacity));
    KEHU_CHECK(slot.blob != nullptr);
    blob_bytes_ += slot.capacity + kAllocatorOverhead;
  }
  std::memcpy(slot.blob, bytes.data(), bytes.size());
  slot.size = static_cast<uint32_t>(bytes.size());
}

void BlobTable::remove(Slot& slot) {
  if (slot.blob != nullptr) blob_bytes_ -= slot.capacity + kAllocatorOverhead;
  std::free(slot.blob);
  Segment& segment = segment_of(slot.key);
  const size_t mask = segment.slots.size() - 1;
  // Backward-shift deletion: entries behind the hole move up as long as that brings them nearer to their
  // bucket. Tombstones would make every look-up longer for as long as the table lives, and eviction removes
  // all the time.
  size_t hole = static_cast<size_t>(&slot - segment.slots.data());
  for (size_t i = segment.after(hole); segment.slots[i].used; i = segment.after(i)) {
    const size_t home = segment.bucket(segment.slots[i].key);
    if (((i - home) & mask) >= ((i - hole) & mask)) {
      segment.slots[hole] = segment.slots[i];
      hole = i;
    }
  }
  segment.slots[hole] = Slot{};
  --segment.count;
  --count_;
}

void BlobTable::prefetch_slot(const Hash128& key) const {
  const Segment& segment = segment_of(key);
  __builtin_prefetch(&segment.slots[segment.bucket(key)]);
}

void BlobTable::prefetch_blob(const Hash128& key) const {
  const Segment& segment = segment_of(key);
  const Slot& slot = segment.slots[segment.bucket(key)];
  if (slot.blob == nullptr) return;
  __builtin_prefetch(slot.blob);
  __builtin_prefetch(slot.blob + 64);
}

Slot* BlobTable::next(Cursor& cursor) {
  for (; cursor.segment < kSegments; ++cursor.segment, cursor.index = 0) {
    std::vector<Slot>& slots = segments_[cursor.segment].slots;
    while (cursor.index < slots.size()) {
      Slot& slot = slots[cursor.index++];
      if (slot.used) return &slot;
    }
  }
  cursor = {};
  return nullptr;
}

void BlobTable::grow(Segment& segment) {
  std::vector<Slot> old(segment.slots.size() * 2);
  old.swap(segment.slots);
  slot_bytes_ += old.size() * sizeof(Slot);
  for (const Slot& slot : old) {
    if (!slot.used) continue;
    size_t i = segment.bucket(slot.key);
    while (segment.slots[i].used) i = segment.after(i);
    segment.slots[i] = slot;
  }
}

}  // namespace kehu::state
