#include "fields/key_table.h"

#include <algorithm>
#include <utility>

namespace kehu::fields {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

}  // namespace

bool KeyTable::same_ignoring_case(std::string_view known, std::string_view key) {
  return std::equal(known.begin(), known.end(), key.begin(), key.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

void KeyTable::place(Slot slot) {
  const uint32_t hash = hash_of(slot.key);
  const size_t mask = tags_.size() - 1;
  size_t i = hash & mask;
  while (tags_[i] != 0) i = (i + 1) & mask;
  tags_[i] = tag_of(hash);
  slots_[i] = std::move(slot);
}

void KeyTable::add(std::string_view key, uint8_t bits) {
  for (Slot& slot : slots_) {
    if (slot.bits != 0 && same(slot.key, key)) {
      slot.bits |= bits;
      return;
    }
  }
  add_new(key, bits);
}

void KeyTable::add_new(std::string_view key, uint8_t bits) {
  // An eighth full at most, so that nearly every key outside the table meets an empty slot at once.
  if (++used_ * 8 > slots_.size()) {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    tags_.assign(slots_.size(), 0);
    for (Slot& slot : old) {
      if (slot.bits != 0) place(std::move(slot));
    }
  }
  place(Slot{std::string(key), bits});
}

}  // namespace kehu::fields
