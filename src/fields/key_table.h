#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace kehu::fields {

// A fixed set of JSON keys, each with a small number that is not 0. Built once, then asked for every key of
// every event: ~2 ns a key. Upper and lower case ASCII letters are the same key when the table ignores case.
class KeyTable {
 public:
  enum class Case : uint8_t { kExact, kIgnored };

  explicit KeyTable(Case letters) : letters_(letters), tags_(16), slots_(16) {}

  // Combines the number with the one the key has already.
  void add(std::string_view key, uint8_t bits);
  // A key that is known not to be in the table.
  void add_new(std::string_view key, uint8_t bits);
  size_t size() const { return used_; }
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
    if (known.size() != key.size()) return false;
    return same_bytes(known.data(), key.data(), key.size()) ||
           (letters_ == Case::kIgnored && same_ignoring_case(known, key));
  }
  // Nearly all keys are at most 16 bytes long: two overlapping loads spare the call of memcmp.
  static bool same_bytes(const char* a, const char* b, size_t size) {
    if (size >= 4 && size < 8) return load4(a) == load4(b) && load4(a + size - 4) == load4(b + size - 4);
    if (size < 8 || size > 16) return std::memcmp(a, b, size) == 0;
    return load8(a) == load8(b) && load8(a + size - 8) == load8(b + size - 8);
  }
  static uint32_t load4(const char* bytes) {
    uint32_t word = 0;
    std::memcpy(&word, bytes, sizeof word);
    return word;
  }
  static uint64_t load8(const char* bytes) {
    uint64_t word = 0;
    std::memcpy(&word, bytes, sizeof word);
    return word;
  }
  friend class KeySequence;
  static bool same_ignoring_case(std::string_view known, std::string_view key);
  void place(Slot slot);

  Case letters_;
  size_t used_ = 0;
  std::vector<uint8_t> tags_;  // 0 = empty; apart from the slots, so that a miss touches one small array only
  std::vector<Slot> slots_;
};

// Remembers what a table said about the keys of the last object, one by one: the next event of a request
// mostly has the same keys in the same order, and then a comparison replaces the look-up. For one table
// (KeyTable, FieldClasses) only.
class KeySequence {
 public:
  // Where a key stands: its node, and the node behind its value, both counted from the object. Equal keys at
  // equal places make equal trees, so what was found out about one of them holds for the next.
  enum class Place : uint64_t {};
  static Place place_of(uint32_t key, uint32_t end) { return Place{uint64_t{key} << 32 | end}; }

  void forget() { known_ = 0; }
  void start() {
    position_ = 0;
    changed_ = false;
  }
  // As table.find(key).
  template <class Table>
  uint8_t find(const Table& table, std::string_view key) {
    return find(table, key, Place());
  }
  template <class Table>
  uint8_t find(const Table& table, std::string_view key, Place place) {
    if (key.size() > kKeyBytes || position_ == slots_.size()) {
      changed_ = true;
      return table.find(key);
    }
    Slot& slot = slots_[position_++];
    if (position_ <= known_ && slot.size == key.size() && slot.place == place &&
        KeyTable::same_bytes(slot.key, key.data(), key.size())) {
      return slot.bits;
    }
    std::memcpy(slot.key, key.data(), key.size());
    slot.size = static_cast<uint8_t>(key.size());
    slot.place = place;
    slot.bits = table.find(key);
    known_ = position_;
    changed_ = true;
    return slot.bits;
  }
  // Since start(): a key or its place was another than the last time, or could not be remembered.
  bool changed() const { return changed_; }

 private:
  static constexpr size_t kKeyBytes = 32;
  struct Slot {
    char key[kKeyBytes];
    uint8_t size = 0;
    uint8_t bits = 0;
    Place place{};
  };
  std::array<Slot, 64> slots_;
  size_t known_ = 0;
  size_t position_ = 0;
  bool changed_ = false;
};

}  // namespace kehu::fields
