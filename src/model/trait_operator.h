#pragma once

#include <cstdint>
#include <string_view>

namespace kehu {

// Members of a traits object that do not set traits but change them (docs/profile.md):
//
//   {"$set_once": {"first_shop": "北京"}, "$add": {"points": 5}, "$append": {"tags": ["vip"]},
//    "$unset": ["nickname"], "$clear": true}
enum class TraitOperator : uint8_t { kNone, kSetOnce, kAdd, kAppend, kUnset, kClear };

constexpr TraitOperator trait_operator(std::string_view key) {
  if (key.empty() || key.front() != '$') return TraitOperator::kNone;
  if (key == "$set_once") return TraitOperator::kSetOnce;
  if (key == "$add") return TraitOperator::kAdd;
  if (key == "$append") return TraitOperator::kAppend;
  if (key == "$unset") return TraitOperator::kUnset;
  return key == "$clear" ? TraitOperator::kClear : TraitOperator::kNone;
}

}  // namespace kehu
