#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "store/blob_store.h"
#include "timer/format.h"
#include "timer/timers.h"

namespace kehu::timer {

// A BlobStore in a map, which forgets like the real one: a view is overwritten by the next change.
class TestStore final : public BlobStore {
 public:
  std::string_view get(const Hash128& key) override {
    ++gets;
    const auto found = blobs.find(key);
    if (found == blobs.end()) return {};
    read_ = found->second;
    return read_;
  }
  void put(const Hash128& key, std::string_view bytes) override {
    ++puts;
    std::string copy(bytes);
    read_.assign(read_.size(), '\xee');
    blobs[key] = std::move(copy);
  }
  void erase(const Hash128& key) override {
    ++puts;
    read_.assign(read_.size(), '\xee');
    EXPECT_EQ(blobs.erase(key), 1u);
  }
  void prefetch(absl::Span<const Hash128>) override { read_.assign(read_.size(), '\xee'); }
  void for_each(const std::function<void(const Hash128&, std::string_view)>& visit) override {
    for (const auto& [key, bytes] : blobs) visit(key, bytes);
  }

  std::map<Hash128, std::string> blobs;
  uint64_t gets = 0;
  uint64_t puts = 0;  // and erasures

 private:
  std::string read_;
};

inline TimerId id_of(uint64_t number) {
  return TimerId{hash128({reinterpret_cast<const char*>(&number), sizeof(number)})};
}

inline Timer timer_of(Instant due, uint64_t number, std::string_view payload = {}) {
  return {due, id_of(number), CustomerId{{number, number + 1}}, static_cast<uint16_t>(number), payload};
}

// How the timers lie in the store.
struct Layout {
  uint64_t timers = 0;
  uint64_t pages = 0;
  uint64_t wheels = 0;
  uint64_t bytes = 0;  // of all blobs, without keys
};

// Checks that every blob is part of the whole, in its place, in order and within its bounds.
inline Layout checked_layout(const TestStore& store) {
  Layout layout;
  for (const auto& [key, blob] : store.blobs) layout.bytes += blob.size();
  std::vector<Slot> slots = {Slot{}};
  while (!slots.empty()) {
    const Slot slot = slots.back();
    slots.pop_back();
    const auto found = store.blobs.find(address_of(slot));
    if (found == store.blobs.end()) {
      EXPECT_EQ(slot.depth, 0);  // no timers at all
      continue;
    }
    if (is_wheel(found->second)) {
      ++layout.wheels;
      const Wheel wheel = parse_wheel(found->second);
      EXPECT_GE(wheel.level, slot.depth);
      EXPECT_EQ(slot_around(wheel.prefix, slot.depth), slot);
      for (int digit = 0; digit < kSlotsPerWheel; ++digit) {
        if (wheel.has(digit)) slots.push_back(wheel.slot(digit));
      }
      continue;
    }
    ++layout.pages;
    EXPECT_LE(found->second.size(), kPageBytes);
    EXPECT_TRUE(has_records(found->second));
    std::optional<Place> last;
    for (PageReader reader(found->second); !reader.at_end(); reader.next(), ++layout.timers) {
      EXPECT_EQ(slot_around(reader.place(), slot.depth), slot);
      EXPECT_TRUE(!last || *last < reader.place());
      last = reader.place();
    }
  }
  EXPECT_EQ(store.blobs.size(), layout.pages + layout.wheels + store.blobs.count(kRootAddress));
  return layout;
}

}  // namespace kehu::timer
