#include "intake/key_table.h"

#include <algorithm>
#include <utility>

namespace kehu::intake {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

}  // namespace

bool KeyTable::same_ignoring_case(std::string_view known, std::string_view key) {
  return std::equal(known.begin(), known.end(), key.begin(), key.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

void KeyTable::place(Slot slot) {
  const size_t mask = slots_.size() - 1;
  size_t i = hash(slot.key) & mask;
  while (slots_[i].bits != 0) i = (i + 1) & mask;
  slots_[i] = std::move(slot);
}

void KeyTable::add(std::string_view key, uint8_t bits) {
  for (Slot& slot : slots_) {
    if (slot.bits != 0 && slot.key.size() == key.size() && same(slot.key, key)) {
      slot.bits |= bits;
      return;
    }
  }
  // A quarter full at most, so that nearly every key outside the table meets an empty slot at once.
  if (++used_ * 4 > slots_.size()) {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    for (Slot& slot : old) {
      if (slot.bits != 0) place(std::move(slot));
    }
  }
  place(Slot{std::string(key), bits});
}

}  // namespace kehu::intake
