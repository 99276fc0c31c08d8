#pragma once

#include <cstdint>
#include <optional>

#include "intake/fault.h"
#include "json/index.h"

namespace kehu::intake {

// What a traits object (a node of `index`) asks that cannot be done: $add with anything but numbers that fit
// a Decimal, $append with an object, $unset without names. Members that are no operator (TraitOperator) are
// not looked at.
std::optional<Fault> check_trait_operands(const json::Index& index, uint32_t traits);

}  // namespace kehu::intake
