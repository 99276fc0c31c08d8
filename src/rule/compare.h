#pragma once

#include "base/civil_day.h"
#include "rule/tree.h"
#include "rule/value.h"

// What the operators do to values, for the evaluators that people wait for (the interpreter has its own words
// for it).
namespace kehu::rule {

// A literal's value; unknown for all other nodes, spans and lists.
Value literal(const Node& node, const BusinessZone& zone);

// Whether a comparison (kEqual to kAtLeast) of two values as `type` holds. False if either has none of it.
bool holds(Op op, const Value& a, const Value& b, Type type, const BusinessZone& zone);

// kPlus or kMinus of two numbers; unknown if either is none.
Value sum(Op op, const Value& a, const Value& b);
// Of an instant and a span; unknown if it is none.
Value shifted(Op op, const Value& a, Span span, const BusinessZone& zone);

// The same with its sides changed: 3 < x as x > 3.
Op mirrored(Op op);

}  // namespace kehu::rule
