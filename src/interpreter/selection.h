#pragma once

#include <string_view>
#include <vector>

#include "interpreter/asked.h"

// Which events a function looks at, and what they say.
namespace kehu::interpreter {

using Selected = std::vector<const Event*>;

// Those that a selector (Op::kEvents) names and whose condition holds, by time.
Selected selected(const rule::Node& selector, const Asked& asked);
// Those of them in the window.
Selected selected(const rule::Node& selector, const rule::Window& window, const Asked& asked);

// What is known at a path of an event's properties, in the order of the text; of nodes.h's paths its channel
// or its source.
Values values_at(std::string_view path, const Event& event, const Asked& asked);
// The same as texts.
std::vector<std::string> texts_at(std::string_view path, const Event& event, const Asked& asked);

}  // namespace kehu::interpreter
