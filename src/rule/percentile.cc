#include "rule/percentile.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "rule/nodes.h"
#include "rule/tree_json.h"

namespace kehu::rule {
namespace {

std::vector<Node> numbers_of(const Node& node) {
  if (node.op == Op::kRfm) return rfm_numbers(node);
  return node.op == Op::kPercentile ? std::vector{node.of[0]} : std::vector<Node>();
}

void collect(const Node& node, std::string_view zone, std::vector<Measure>& measures) {
  for (const Node& number : numbers_of(node)) {
    Measure measure{measure_key(number, zone), without_comments(number)};
    const bool known = std::ranges::find(measures, measure.key, &Measure::key) != measures.end();
    if (!known) measures.push_back(std::move(measure));
  }
  for (const Node& child : node.of) collect(child, zone, measures);
}

}  // namespace

Value percentile(const Value& number, const Cuts* cuts) {
  const auto own = as_number(number);
  if (!own || cuts == nullptr || cuts->empty()) return {};
  const auto reached = std::ranges::upper_bound(*cuts, *own) - cuts->begin();
  return Value::of(Sum{reached} * Decimal::kScale);
}

std::vector<Node> rfm_numbers(const Node& rfm) {
  const auto over_events = [&rfm](Op op) { return Node{.op = op, .window = rfm.window, .of = rfm.of}; };
  const auto if_any = [&](Node number) {
    return Node{.op = Op::kCase, .of = {over_events(Op::kDid), std::move(number)}};
  };
  Node days{.op = Op::kDaysSince, .of = {over_events(Op::kLast)}};
  Node sum = over_events(Op::kSum);
  sum.text = rfm.text;
  return {Node{.op = Op::kMinus, .of = {Node{.op = Op::kNumber}, std::move(days)}},
          if_any(over_events(Op::kCount)), if_any(std::move(sum))};
}

std::string measure_key(const Node& number, std::string_view zone) {
  return cat(zone, " ", to_json(without_comments(number)));
}

std::vector<Measure> measures_of(const Node& expression, std::string_view zone) {
  std::vector<Measure> measures;
  collect(expression, zone, measures);
  return measures;
}

}  // namespace kehu::rule
