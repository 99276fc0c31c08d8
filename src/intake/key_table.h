#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace kehu::intake {

// A fixed set of JSON keys, each with a small number that is not 0. Built once, then asked for every key of every
// event: ~2 ns a key. Upper and lower case ASCII letters are the same key when the table ignores case.
class KeyTable {
 public:
  enum class Case : uint8_t { kExact, kIgnored };

  explicit KeyTable(Case letters) : letters_(letters), tags_(16), slots_(16) {}

  // Combines the number with the one the key has already.
  void add(std::string_view key, uint8_t bits);
  // 0 when the key is not in the table.
  uint8_t find(std::string_view key) const {
    const uint32_t hash = hash_of(key);
    const size_t mask = tags_.size() - 1;
    for (size_t i = hash & mask; tags_[i] != 0; i = (i + 1) & mask) {
      if (tags_[i] == tag_of(hash) && same(slots_[i].key, key)) return slots_[i].bits;
    }
    return 0;
  }

 private:
  struct Slot {
    std::string key;
    uint8_t bits = 0;
  };

  // Of the length and of the first and last four bytes, with bit 0x20 set so that case makes no difference.
  static uint32_t hash_of(std::string_view key) {
    uint32_t head = 0, tail = 0;
    if (key.size() >= 4) {
      std::memcpy(&head, key.data(), 4);
      std::memcpy(&tail, key.data() + key.size() - 4, 4);
    } else {
      for (const char c : key) head = head << 8 | static_cast<unsigned char>(c);
    }
    constexpr uint32_t kCaseBits = 0x20202020;
    uint32_t mixed = ((head | kCaseBits) * 0x9e3779b1u ^ (tail | kCaseBits)) * 0x85ebca6bu;
    mixed += static_cast<uint32_t>(key.size()) * 0xc2b2ae35u;
    return mixed ^ mixed >> 15;
  }
  static uint8_t tag_of(uint32_t hash) { return static_cast<uint8_t>(hash >> 24 | 1); }
  bool same(std::string_view known, std::string_view key) const {
    return letters_ == Case::kExact ? known == key : same_ignoring_case(known, key);
  }
  static bool same_ignoring_case(std::string_view known, std::string_view key);
  void place(Slot slot);

  Case letters_;
  size_t used_ = 0;
  std::vector<uint8_t> tags_;  // 0 = empty; apart from the slots, so that a miss touches one small array only
  std::vector<Slot> slots_;
};

}  // namespace kehu::intake
