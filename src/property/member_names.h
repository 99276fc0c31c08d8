#pragma once

#include <bit>
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

  // Of the size, the first, the middle and the last bytes: names of members differ there, and a hash of all
  // bytes costs three times as much.
  static uint32_t hash_of(std::string_view name) {
    uint64_t mixed = name.size();
    if (name.size() >= 8) {
      mixed += load8(name.data()) ^ std::rotl(load8(name.data() + name.size() - 8), 21) ^
               std::rotl(load8(name.data() + name.size() / 2 - 4), 42);
    } else {
      for (const char c : name) mixed = mixed << 8 | static_cast<unsigned char>(c);
    }
    return static_cast<uint32_t>((mixed * 0x9e3779b97f4a7c15u) >> 32);
  }
  static uint64_t load8(const char* bytes) {
    uint64_t word = 0;
    std::memcpy(&word, bytes, sizeof word);
    return word;
  }
  void place(uint32_t name);

  std::vector<Name> names_;
  // Open addressing: 0, or a name by its number from 1. An eighth full at most, so that nearly every member
  // that nobody asks for meets a 0 at once.
  std::vector<uint32_t> places_;
  uint32_t mask_ = 0;
};

}  // namespace kehu::property
