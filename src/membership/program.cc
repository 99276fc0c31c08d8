#include "membership/program.h"

#include <algorithm>
#include <utility>

#include "membership/run.h"
#include "rule/check.h"
#include "rule/compare.h"
#include "rule/nodes.h"

namespace kehu::membership {
namespace {

using rule::Node;
using rule::Op;

void add_once(uint32_t value, std::vector<uint32_t>& to) {
  if (std::ranges::find(to, value) == to.end()) to.push_back(value);
}

bool is_number_of_events(Op op) { return op == Op::kCount || op == Op::kActiveDays; }

// As two comparisons, so that each of them is told as exactly as it can be.
Node as_comparisons(const Node& between) {
  Node both{.op = Op::kAnd};
  both.of.push_back({.op = Op::kAtLeast, .of = {between.of[0], between.of[1]}});
  both.of.push_back({.op = Op::kAtMost, .of = {between.of[0], between.of[2]}});
  return both;
}

}  // namespace

Program::Program(const Node& expression, const std::string& zone, const Names& names) {
  if (auto loaded = BusinessZone::load(zone)) zone_ = *loaded;
  root_ = compile(expression, zone, names);
  lists_ = rule::references(expression).lists;
  for (rule::Measure& measure : rule::measures_of(expression, zone)) {
    measures_.push_back(std::move(measure.key));
  }
}

// Of a list one text has to be above the least and below the greatest, so the value stands beside both.
Program::Step Program::compile_between(const Node& node, const std::string& zone, const Names& names) {
  Step both = compile(as_comparisons(node), zone, names);
  if (!rule::may_be_list(node.of[0])) return both;
  Step step{.op = Op::kBetween};
  step.of.push_back(compile(node.of[0], zone, names));
  step.of.push_back(std::move(both));
  return step;
}

Program::Step Program::compile(const Node& node, const std::string& zone, const Names& names) {
  if (node.op == Op::kBetween) return compile_between(node, zone, names);
  Step step{.op = node.op,
            .text = node.text,
            .constant = rule::literal(node, zone_),
            .may_be_list = rule::may_be_list(node),
            .span = node.span,
            .window = node.window};
  asks_traits_ |= rule::asks_trait(node.op) || rule::asks_list(node.op);
  if (node.op == Op::kPercentile) step.text = rule::measure_key(node.of[0], zone);
  if (node.op == Op::kNth || node.op == Op::kTopN)
    step.number = static_cast<uint32_t>(node.number.units() / Decimal::kScale);
  if (node.op == Op::kSegment || node.op == Op::kTag) {
    const auto rule =
        names.rule(node.op == Op::kSegment ? rule::Kind::kSegment : rule::Kind::kTag, node.text);
    step.number = rule.value_or(UINT32_MAX);
    if (rule) add_once(*rule, rules_);
  }
  if (node.op == Op::kMatches) {
    auto pattern = text::Pattern::compile(node.of[1].text);
    if (pattern.ok()) step.pattern = *std::move(pattern);
  }
  if (node.op == Op::kRfm) {
    for (const Node& number : rule::rfm_numbers(node)) {
      step.of.push_back(compile({.op = Op::kPercentile, .of = {number}}, zone, names));
    }
    return step;
  }
  if (rule::is_aggregate(node.op)) {
    for (const tally::Spec& spec : tally::specs_of(node, zone)) {
      step.tallies.push_back(names.tally(spec));
      step.granule = spec.granule;
      add_once(step.tallies.back(), tallies_);
    }
    if (node.op == Op::kStage) {
      for (const Node& each : node.of)
        step.names.push_back(each.op == Op::kEvents ? each.text : each.of[0].text);
    }
    return step;
  }
  for (const Node& child : node.of) {
    step.of.push_back(compile(child, zone, names));
    step.takes_lists |= step.of.back().may_be_list;
    step.of.back().type = rule::comparison_type(node.of[0], child);
    for (size_t i = 0; child.op == Op::kList && i < child.of.size(); ++i) {
      step.of.back().of[i].type = rule::comparison_type(node.of[0], child.of[i]);
    }
  }
  return step;
}

// What is not told apart here may go either way. A number of events is one that is never unknown: the
// greatest of some prices, say, is unknown before the first, and then any comparison with it is false.
Drift Program::drift(const Step& step, absl::Span<const uint32_t> counted) {
  const bool counts = std::ranges::any_of(
      step.tallies, [&](uint32_t tally) { return std::ranges::binary_search(counted, tally); });
  if (counts) return step.op == Op::kDid ? Drift::kRises : Drift::kEither;
  Drift drift = Drift::kNone;
  if (rule::is_comparison(step.op)) {
    const bool first = is_number_of_events(step.of[0].op);
    const Step& number = step.of[first ? 0 : 1];
    const Step& bound = step.of[first ? 1 : 0];
    if (is_number_of_events(number.op) && bound.op == Op::kNumber) {
      if (Program::drift(number, counted) == Drift::kNone) return Drift::kNone;
      const Op op = first ? step.op : rule::mirrored(step.op);
      if (op == Op::kGreater || op == Op::kAtLeast) return Drift::kRises;
      if (op == Op::kLess || op == Op::kAtMost) return Drift::kFalls;
      return Drift::kEither;
    }
  }
  for (const Step& child : step.of) drift = drift | Program::drift(child, counted);
  if (step.op == Op::kAnd || step.op == Op::kOr || drift == Drift::kNone) return drift;
  if (step.op != Op::kNot || drift == Drift::kEither) return Drift::kEither;
  return drift == Drift::kRises ? Drift::kFalls : Drift::kRises;
}

Answer Program::answer(Asked& asked) const { return Run(asked, zone_).answer(root_); }

}  // namespace kehu::membership
