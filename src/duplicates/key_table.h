#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "log/position.h"
#include "log/sidecar.h"

namespace kehu::duplicates {

using namespace log;  // this room reads the log, and says its words in nearly every line

// A set of message keys with the segment of each. Open addressing with 16 bytes a slot, in 4096 parts by the
// upper bits of the key, each of which grows on its own: among 20 M keys the longest pause is the rehash of
// ~6,000.
class KeyTable {
 public:
  enum class Found { kNo, kSame, kOtherBody };

  KeyTable() : parts_(kParts) {}

  void prefetch(uint64_t low, uint32_t high) const;
  // Looks for the key and adds it if it is not there.
  Found find_or_add(const MessageKey& key, SegmentNumber segment);
  Found find(const MessageKey& key) const;
  // Keys of earlier segments may be dropped from now on; they are when their part has to grow.
  void expire_before(SegmentNumber first) { first_live_ = first; }

  uint64_t size() const { return size_; }
  uint64_t memory_bytes() const { return memory_bytes_; }

 private:
  static constexpr uint32_t kPartBits = 12;
  static constexpr uint32_t kParts = 1u << kPartBits;

  struct Slot {
    uint64_t low;
    uint32_t body;
    uint32_t segment;  // 0: free
  };
  static_assert(sizeof(Slot) == 16);
  struct Free {
    void operator()(Slot* slots) const { std::free(slots); }
  };
  using Slots = std::unique_ptr<Slot[], Free>;

  struct Part {
    Slots slots;
    uint32_t capacity = 0;  // a power of two
    uint32_t used = 0;
  };

  static uint32_t part_of(uint32_t high) { return high >> (32 - kPartBits); }
  static uint32_t limit(uint32_t part, uint32_t capacity);
  static Slots allocate(uint32_t capacity);
  static Slot& slot_for(const Part& part, uint64_t low);
  void rehash(uint32_t index);

  std::vector<Part> parts_;
  SegmentNumber first_live_;
  uint64_t size_ = 0;
  uint64_t memory_bytes_ = 0;
};

}  // namespace kehu::duplicates
