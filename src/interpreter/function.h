#pragma once

#include "interpreter/asked.h"

// What the events of a customer add up to.
namespace kehu::interpreter {

bool is_function(rule::Op op);
rule::Value function_value(const rule::Node& function, const Asked& asked);

}  // namespace kehu::interpreter
