#pragma once

#include <cstddef>
#include <optional>

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

// The name of the holiday that an event's civil day belongs to; unknown of other days.
Value holiday(Instant t, const BusinessZone& zone);
bool is_workday(Instant t, const BusinessZone& zone);

// Which operand of a kBand of so many is the value of a number; nullopt: none. `bound` answers the number of
// an operand.
template <class Bound>
std::optional<size_t> band_of(Sum number, size_t operands, const Bound& bound) {
  size_t band = 1;
  while (band + 1 < operands && number >= bound(band + 1)) band += 2;
  return band < operands ? std::optional(band) : std::nullopt;
}

// kPlus or kMinus of two numbers; unknown if either is none.
Value sum(Op op, const Value& a, const Value& b);
// Of an instant and a span; unknown if it is none.
Value shifted(Op op, const Value& a, Span span, const BusinessZone& zone);

// The same with its sides changed: 3 < x as x > 3.
Op mirrored(Op op);

}  // namespace kehu::rule
