#include "interpreter/interpreter.h"

#include <algorithm>
#include <tuple>

#include "interpreter/asked.h"

namespace kehu::interpreter {
namespace {

// Equal times have a fixed order, so that the order in which events came in can never be seen.
bool before(const Event* a, const Event* b) {
  return std::tie(a->time, a->name, a->properties) < std::tie(b->time, b->name, b->properties);
}

std::vector<const Event*> by_time(absl::Span<const Event> events) {
  std::vector<const Event*> sorted;
  for (const Event& event : events) sorted.push_back(&event);
  std::stable_sort(sorted.begin(), sorted.end(), before);
  return sorted;
}

}  // namespace

rule::Value evaluate(const rule::Node& expression, absl::Span<const Event> events, const Facts& facts,
                     const Moment& moment) {
  const Values values = values_of(expression, {by_time(events), facts, moment}, nullptr);
  return values.empty() ? rule::Value() : values.front();
}

}  // namespace kehu::interpreter
