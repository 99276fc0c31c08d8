#pragma once

#include <vector>

#include "interpreter/interpreter.h"

namespace kehu::interpreter {

// What one answer is made from.
struct Asked {
  std::vector<const Event*> events;  // all of the customer, by time
  const Facts& facts;
  const Moment& moment;
};

// What an expression comes to: several values for a path that takes a list apart and for what is computed
// from it, none for a path that leads nowhere. `event` is the one that a `where` looks at, null outside of
// any.
using Values = std::vector<rule::Value>;
Values values_of(const rule::Node& expression, const Asked& asked, const Event* event);

// Whether a condition holds: for one of the values, where it has several. Unknown is no.
bool holds(const rule::Node& condition, const Asked& asked, const Event* event);

}  // namespace kehu::interpreter
