#include "membership/program.h"

#include <algorithm>
#include <utility>

#include "membership/run.h"
#include "rule/compare.h"

namespace kehu::membership {
namespace {

using rule::Node;
using rule::Op;

void add_once(uint32_t value, std::vector<uint32_t>& to) {
  if (std::ranges::find(to, value) == to.end()) to.push_back(value);
}

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
}

Program::Step Program::compile(const Node& node, const std::string& zone, const Names& names) {
  if (node.op == Op::kBetween) return compile(as_comparisons(node), zone, names);
  Step step{.op = node.op,
            .text = node.text,
            .constant = rule::literal(node, zone_),
            .span = node.span,
            .window = node.window};
  asks_traits_ |= node.op == Op::kTrait;
  if (node.op == Op::kNth) step.number = static_cast<uint32_t>(node.number.units() / Decimal::kScale);
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
  if (rule::is_aggregate(node.op)) {
    for (const tally::Spec& spec : tally::specs_of(node, zone)) {
      step.tallies.push_back(names.tally(spec));
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
    step.of.back().type = rule::comparison_type(node.of[0], child);
    for (size_t i = 0; child.op == Op::kList && i < child.of.size(); ++i) {
      step.of.back().of[i].type = rule::comparison_type(node.of[0], child.of[i]);
    }
  }
  return step;
}

Answer Program::answer(Asked& asked) const { return Run(asked, zone_).answer(root_); }

}  // namespace kehu::membership
