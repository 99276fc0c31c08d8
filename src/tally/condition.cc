#include "tally/condition.h"

#include <algorithm>

#include "rule/compare.h"
#include "rule/nodes.h"
#include "rule/wall_clock.h"

namespace kehu::tally {

using rule::Node;
using rule::Op;
using rule::Type;
using rule::Value;

Path::Path(std::string_view path, std::string_view event, property::FieldPlan& fields) {
  if (rule::is_event_text(path)) {
    of_event_ = path == rule::kChannelPath ? Op::kChannel : Op::kSource;
    return;
  }
  auto parsed = json::FieldPath::parse(path);
  if (!parsed.ok()) return;
  if (event.empty()) {
    path_ = *std::move(parsed);
  } else {
    slot_ = fields.want({.name = name_id(event), .source = {}}, *parsed);
  }
}

Value text_of_event(Op op, const Seen& seen) {
  if (op == Op::kChannel) return Value::of(to_string(seen.event.channel));
  return seen.source.empty() ? Value() : Value::of(seen.source);
}

bool Path::any(const Seen& seen, absl::FunctionRef<bool(const Value&)> visit) const {
  if (of_event_) return visit(text_of_event(*of_event_, seen));
  if (slot_) {
    for (const property::FieldValue& value : seen.fields.values(*slot_)) {
      if (visit(Value::of(value.raw()))) return true;
    }
    return false;
  }
  bool found = false;
  if (path_) {
    path_->visit(seen.event.properties,
                 [&](const json::RawValue& raw) { found = found || visit(Value::of(raw)); });
  }
  return found;
}

Condition::Condition(const Node& node, std::string_view event, const BusinessZone& zone,
                     property::FieldPlan& fields)
    : zone_(zone), root_(compile(node, event, fields)) {}

Condition::Step Condition::compile(const Node& node, std::string_view event,
                                   property::FieldPlan& fields) const {
  Step step{.op = node.op, .constant = rule::literal(node, zone_), .span = node.span};
  if (node.op == Op::kProperty) step.path = Path(node.text, event, fields);
  if (node.op == Op::kMatches) {
    auto pattern = text::Pattern::compile(node.of[1].text);
    if (pattern.ok()) step.pattern = *std::move(pattern);
  }
  for (const Node& child : node.of) {
    step.of.push_back(compile(child, event, fields));
    step.of.back().type = rule::comparison_type(node.of[0], child);
    if (child.op == Op::kList) {
      for (size_t i = 0; i < child.of.size(); ++i) {
        step.of.back().of[i].type = rule::comparison_type(node.of[0], child.of[i]);
      }
    }
  }
  return step;
}

bool Condition::holds(const Seen& seen) const { return holds(root_, seen); }

bool Condition::holds(const Step& step, const Seen& seen) const {
  if (rule::is_comparison(step.op)) return compares(step, seen);
  const auto of_child = [&](const Step& child) { return holds(child, seen); };
  switch (step.op) {
    case Op::kAnd:
      return std::ranges::all_of(step.of, of_child);
    case Op::kOr:
      return std::ranges::any_of(step.of, of_child);
    case Op::kNot:
      return !holds(step.of[0], seen);
    case Op::kBetween:
      return is_between(step, seen);
    case Op::kIn:
      return any_value(step.of[0], seen, [&](const Value& value) {
        return std::ranges::any_of(step.of[1].of, [&](const Step& item) {
          return rule::holds(Op::kEqual, value, item.constant, item.type, zone_);
        });
      });
    case Op::kContains:
    case Op::kStartsWith:
    case Op::kEndsWith:
    case Op::kMatches:
      return matches(step, seen);
    case Op::kIsKnown:
      return any_value(step.of[0], seen, [](const Value& value) { return value.known(); });
    default:
      return any_value(step, seen, [](const Value& value) { return rule::as_bool(value).value_or(false); });
  }
}

bool Condition::compares(const Step& step, const Seen& seen) const {
  return any_value(step.of[0], seen, [&](const Value& a) {
    return any_value(step.of[1], seen,
                     [&](const Value& b) { return rule::holds(step.op, a, b, step.of[1].type, zone_); });
  });
}

bool Condition::is_between(const Step& step, const Seen& seen) const {
  return any_value(step.of[0], seen, [&](const Value& value) {
    const auto bound = [&](const Step& side, Op op) {
      return any_value(side, seen,
                       [&](const Value& b) { return rule::holds(op, value, b, side.type, zone_); });
    };
    return bound(step.of[1], Op::kAtLeast) && bound(step.of[2], Op::kAtMost);
  });
}

bool Condition::matches(const Step& step, const Seen& seen) const {
  return any_value(step.of[0], seen, [&](const Value& value) {
    const auto text = rule::as_text(value, zone_);
    if (!text) return false;
    if (step.op == Op::kMatches) return step.pattern && step.pattern->found_in(*text);
    return any_value(step.of[1], seen, [&](const Value& piece) {
      const auto part = rule::as_text(piece, zone_);
      if (!part) return false;
      if (step.op == Op::kStartsWith) return text->starts_with(*part);
      if (step.op == Op::kEndsWith) return text->ends_with(*part);
      return text->find(*part) != std::string::npos;
    });
  });
}

bool Condition::any_value(const Step& step, const Seen& seen, Visit visit) const {
  switch (step.op) {
    case Op::kProperty:
      return step.path.any(seen, visit);
    case Op::kChannel:
    case Op::kSource:
      return visit(text_of_event(step.op, seen));
    case Op::kEventHour:
      return visit(Value::of(Sum{rule::hour_of(seen.event.time, zone_)} * Decimal::kScale));
    case Op::kEventWeekday:
      return visit(Value::of(Sum{rule::weekday_of(seen.event.time, zone_)} * Decimal::kScale));
    case Op::kEventHoliday:
      return visit(rule::holiday(seen.event.time, zone_));
    case Op::kEventWorkday:
      return visit(Value::of(rule::is_workday(seen.event.time, zone_)));
    case Op::kBand:
      return any_value(step.of[0], seen, [&](const Value& value) { return visit(band(step, value)); });
    case Op::kPlus:
    case Op::kMinus:
      return any_sum(step, seen, visit);
    case Op::kCase:
      for (size_t i = 0; i + 1 < step.of.size(); i += 2) {
        if (holds(step.of[i], seen)) return any_value(step.of[i + 1], seen, visit);
      }
      return step.of.size() % 2 == 1 && any_value(step.of.back(), seen, visit);
    default:
      if (step.constant.known()) return visit(step.constant);
      return visit(Value::of(holds(step, seen)));
  }
}

Value Condition::band(const Step& step, const Value& value) const {
  const auto number = rule::as_number(value);
  if (!number) return {};
  const auto found =
      rule::band_of(*number, step.of.size(), [&](size_t bound) { return step.of[bound].constant.number; });
  return found ? step.of[*found].constant : Value();
}

bool Condition::any_sum(const Step& step, const Seen& seen, Visit visit) const {
  if (step.of[0].op == Op::kSpan) {
    return any_value(step.of[1], seen, [&](const Value& b) {
      return visit(rule::shifted(step.op, b, step.of[0].span, zone_));
    });
  }
  return any_value(step.of[0], seen, [&](const Value& a) {
    if (step.of[1].op == Op::kSpan) return visit(rule::shifted(step.op, a, step.of[1].span, zone_));
    return any_value(step.of[1], seen, [&](const Value& b) { return visit(rule::sum(step.op, a, b)); });
  });
}

}  // namespace kehu::tally
