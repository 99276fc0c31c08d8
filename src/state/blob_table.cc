#include "state/blob_table.h"

#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace kehu::state {
namespace {

constexpr size_t kFirstSlots = 1024;
constexpr uint32_t kAllocatorOverhead = 8;  // glibc's malloc, per block

uint32_t capacity_for(size_t size) {
  const size_t roomy = size + size / 4;
  return static_cast<uint32_t>((roomy + kAllocatorOverhead + 15) / 16 * 16 - kAllocatorOverhead);
}

}  // namespace

BlobTable::BlobTable() : slots_(kFirstSlots), mask_(kFirstSlots - 1) {}

BlobTable::~BlobTable() {
  for (Slot& slot : slots_) std::free(slot.blob);
}

Slot* BlobTable::find(const Hash128& key) {
  for (size_t i = bucket(key);; i = (i + 1) & mask_) {
    Slot& slot = slots_[i];
    if (!slot.used) return nullptr;
    if (slot.key == key) return &slot;
  }
}

Slot& BlobTable::insert(const Hash128& key) {
  if (Slot* found = find(key)) return *found;
  if ((count_ + 1) * 5 > slots_.size() * 4) grow();
  size_t i = bucket(key);
  while (slots_[i].used) i = (i + 1) & mask_;
  Slot& slot = slots_[i];
  slot.key = key;
  slot.used = 1;
  ++count_;
  return slot;
}

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
  // Backward-shift deletion: entries behind the hole move up as long as that brings them nearer to their bucket.
  size_t hole = static_cast<size_t>(&slot - slots_.data());
  for (size_t i = (hole + 1) & mask_; slots_[i].used; i = (i + 1) & mask_) {
    const size_t home = bucket(slots_[i].key);
    if (((i - home) & mask_) >= ((i - hole) & mask_)) {
      slots_[hole] = slots_[i];
      hole = i;
    }
  }
  slots_[hole] = Slot{};
  --count_;
}

void BlobTable::prefetch_blob(const Hash128& key) const {
  const Slot& slot = slots_[bucket(key)];
  if (slot.blob != nullptr) {
    __builtin_prefetch(slot.blob);
    __builtin_prefetch(slot.blob + 64);
  }
}

void BlobTable::grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  mask_ = slots_.size() - 1;
  for (Slot& slot : old) {
    if (!slot.used) continue;
    size_t i = bucket(slot.key);
    while (slots_[i].used) i = (i + 1) & mask_;
    slots_[i] = slot;
  }
}

}  // namespace kehu::state
