#include "property/member_names.h"

#include <algorithm>

namespace kehu::property {

// Open addressing with linear probing. Nearly all members that an event has are asked for by nobody, so
// what has to be quick is the miss: the table is an eighth full at most, and a miss mostly meets an empty
// place at once.
void MemberNames::add(std::string_view name, uint32_t number) {
  names_.push_back({std::string(name), number});
  if (names_.size() * 8 <= places_.size()) return place(static_cast<uint32_t>(names_.size()));
  places_.assign(std::max<size_t>(16, places_.size() * 2), 0);
  mask_ = static_cast<uint32_t>(places_.size() - 1);
  for (uint32_t each = 1; each <= names_.size(); ++each) place(each);
}

void MemberNames::place(uint32_t name) {
  uint32_t at = hash_of(names_[name - 1].text) & mask_;
  while (places_[at] != 0) at = (at + 1) & mask_;
  places_[at] = name;
}

}  // namespace kehu::property
