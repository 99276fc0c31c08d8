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

bool is_sliding(const Node& node) {
  return node.window.kind != rule::Window::Kind::kEver && node.window.kind != rule::Window::Kind::kSince &&
         node.window.kind != rule::Window::Kind::kBetween;
}

bool depends_on_time(const Node& node) {
  switch (node.op) {
    case Op::kNow:
    case Op::kToday:
    case Op::kDaysSince:
    case Op::kWithin:
    case Op::kBirthday:
      return true;
    case Op::kSequence:
      return is_sliding(node) || node.of.back().op == Op::kNotStep;
    default:
      return is_sliding(node);
  }
}

}  // namespace

Program::Program(const Node& expression, const std::string& zone, const Names& names) {
  if (auto loaded = BusinessZone::load(zone)) zone_ = *loaded;
  root_ = compile(expression, zone, names);
}

Program::Step Program::compile(const Node& node, const std::string& zone, const Names& names) {
  Step step{.op = node.op,
            .text = node.text,
            .constant = rule::literal(node, zone_),
            .span = node.span,
            .window = node.window};
  asks_time_ |= depends_on_time(node);
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
