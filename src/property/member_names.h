#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace kehu::property {

// The names of members that somebody asks for in one object, each with a number that is not 0. Built once,
// then asked for every member of every event: ~2 ns.
class MemberNames {
 public:
  bool empty() const { return names_.empty(); }
  // The name is not there yet.
  void add(std::string_view name, uint32_t number);
  // 0 when nobody asks for it.
  uint32_t find(std::string_view name) const {
    if (names_.empty()) return 0;
    for (uint32_t at = hash_of(name) & mask_; places_[at] != 0; at = (at + 1) & mask_) {
      const Name& known = names_[places_[at] - 1];
      if (known.text == name) return known.number;
    }
    return 0;
  }

 private:
  struct Name {
    std::string text;
    uint32_t number = 0;
  };

  // Of the size and of the first and last bytes: an eighth of the time of a hash of the whole name, and names
  // of members differ there.
  static uint32_t hash_of(std::string_view name) {
    uint32_t head = 0, tail = 0;
    if (name.size() >= 4) {
      std::memcpy(&head, name.data(), 4);
      std::memcpy(&tail, name.data() + name.size() - 4, 4);
    } else {
      for (const char c : name) head = head << 8 | static_cast<unsigned char>(c);
    }
    const uint32_t mixed = (head * 0x9e3779b1u ^ tail) * 0x85ebca6bu + static_cast<uint32_t>(name.size());
    return mixed ^ mixed >> 15;
  }
  void place(uint32_t name);

  std::vector<Name> names_;
  // Open addressing: 0, or a name by its number from 1. An eighth full at most, so that nearly every member
  // that nobody asks for meets a 0 at once.
  std::vector<uint32_t> places_;
  uint32_t mask_ = 0;
};

}  // namespace kehu::property
