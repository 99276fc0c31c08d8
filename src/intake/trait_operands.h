#pragma once

#include <cstdint>
#include <optional>

#include "intake/fault.h"
#include "json/index.h"

namespace kehu::intake {

// Whether traits of uploaded lists (list/standing.h) may be among those of an event.
enum class ListTraits : uint8_t { kRefused, kAllowed };

// What a traits object (a node of `index`) asks that cannot be done: $add with anything but numbers that fit
// a Decimal, $append with an object, $unset without names; and, unless the sender `writes_lists`, a trait of
// an uploaded list (list/standing.h), whether it is to be written or taken away. Of other members that are no
// operator (TraitOperator) only the names are looked at.
std::optional<Fault> check_trait_operands(const json::Index& index, uint32_t traits, ListTraits lists);

}  // namespace kehu::intake
