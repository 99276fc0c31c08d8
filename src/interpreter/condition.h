#pragma once

#include "interpreter/asked.h"

// Conditions: and, or, not, comparisons, and what looks at one value or two.
namespace kehu::interpreter {

// Of an operator that is_condition().
bool condition_holds(const rule::Node& condition, const Asked& asked, const Event* event);

}  // namespace kehu::interpreter
