#include "rule/percentile.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "rule/tree_json.h"

namespace kehu::rule {
namespace {

Node without_comments(Node node) {
  node.comments.clear();
  for (Node& child : node.of) child = without_comments(std::move(child));
  return node;
}

void collect(const Node& node, std::string_view zone, std::vector<Measure>& measures) {
  if (node.op == Op::kPercentile) {
    Measure measure{measure_key(node.of[0], zone), without_comments(node.of[0])};
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

std::string measure_key(const Node& number, std::string_view zone) {
  return cat(zone, " ", to_json(without_comments(number)));
}

std::vector<Measure> measures_of(const Node& expression, std::string_view zone) {
  std::vector<Measure> measures;
  collect(expression, zone, measures);
  return measures;
}

}  // namespace kehu::rule
