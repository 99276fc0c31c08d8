#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/hash.h"

namespace kehu::state {

// The bytes of one cached key, with what a checkpoint needs to know about them.
struct Slot {
  Hash128 key;
  char* blob = nullptr;  // owned; see BlobTable
  uint32_t size = 0;     // 0: the key is known to have no blob
  uint32_t capacity : 30;
  uint32_t used : 1;         // the slot holds a key
  uint32_t copied : 1;       // the running checkpoint has this key's bytes already
  uint32_t dirty_epoch = 0;  // when it was last written; see Store
  uint32_t visited = 0;      // second chance of the eviction clock

  std::string_view bytes() const { return {blob, size}; }
};

// Open-addressing hash table from 128-bit keys to bytes. Keys are hashes already: their high half chooses one
// of 64 segments, their low half the bucket in it. Each segment grows by itself, so that no insertion waits
// for the whole table to move. One thread. Memory: 40 bytes a slot at a load of 0.4 to 0.8, and each blob
// with a quarter of room to grow, so that most updates are in place.
class BlobTable {
 public:
  BlobTable();
  ~BlobTable();
  BlobTable(const BlobTable&) = delete;
  BlobTable& operator=(const BlobTable&) = delete;

  Slot* find(const Hash128& key);
  // The slot of `key`, made when missing. Moves slots: pointers from before are void.
  Slot& insert(const Hash128& key);
  void assign(Slot& slot, std::string_view bytes);
  // Moves slots, too.
  void remove(Slot& slot);

  // Asks the cache for the slot's line; asking again for a found slot's blob is prefetch_blob.
  void prefetch_slot(const Hash128& key) const;
  void prefetch_blob(const Hash128& key) const;

  size_t size() const { return count_; }
  // Bytes of slots and blobs together.
  size_t memory() const { return slot_bytes_ + blob_bytes_; }

  // A place in a walk over all slots, which may go on from where it stopped; what is inserted or removed
  // meanwhile may be seen or missed.
  struct Cursor {
    size_t segment = 0;
    size_t index = 0;
  };
  // The slot at the cursor, which moves on, or nullptr at the end of the table, where it starts anew.
  Slot* next(Cursor& cursor);

 private:
  struct Segment {
    std::vector<Slot> slots;
    size_t count = 0;
    size_t bucket(const Hash128& key) const { return key.low & (slots.size() - 1); }
    size_t after(size_t index) const { return (index + 1) & (slots.size() - 1); }
  };
  static constexpr size_t kSegments = 64;

  Segment& segment_of(const Hash128& key) { return segments_[key.high % kSegments]; }
  const Segment& segment_of(const Hash128& key) const { return segments_[key.high % kSegments]; }
  void grow(Segment& segment);

  std::array<Segment, kSegments> segments_;
  size_t count_ = 0;
  size_t slot_bytes_ = 0;
  size_t blob_bytes_ = 0;
};

}  // namespace kehu::state
