#pragma once

#include "interpreter/asked.h"

// Events one behind the other.
namespace kehu::interpreter {

// Whether a sequence happened in its window, and has not been ended since.
bool sequence_holds(const rule::Node& sequence, const Asked& asked);

// The name of the furthest step that was reached; unknown, if none was.
rule::Value stage(const rule::Node& stage, const Asked& asked);

}  // namespace kehu::interpreter
