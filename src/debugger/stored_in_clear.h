#pragma once

#include <string>
#include <vector>

#include "model/event.h"

namespace kehu::debugger {

// What of a decoded event reads as personal and is stored in clear all the same, because it is excepted,
// stands inside a longer text, or is a name: a sentence for each place, with what to do. No value is in it.
// At most ten. Some ns a byte.
std::vector<std::string> stored_in_clear(const Event& event);

}  // namespace kehu::debugger
