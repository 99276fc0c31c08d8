#pragma once

#include "interpreter/asked.h"

// What the events of a customer add up to.
namespace kehu::interpreter {

// Of an operator that is_aggregate().
rule::Value function_value(const rule::Node& function, const Asked& asked);

// Of rfm.
rule::Value rfm_value(const rule::Node& rfm, const Asked& asked);

}  // namespace kehu::interpreter
