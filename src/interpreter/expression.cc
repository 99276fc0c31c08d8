#include "interpreter/asked.h"
#include "interpreter/condition.h"
#include "interpreter/function.h"
#include "interpreter/selection.h"
#include "rule/wall_clock.h"

namespace kehu::interpreter {
namespace {

using rule::Node;
using rule::Op;
using rule::Value;

Value number(int64_t whole) { return Value::of(Sum{whole} * Decimal::kScale); }

Value trait(const Node& node, const Facts& facts) {
  const auto raw = facts.trait(node.text);
  return raw ? Value::of(*raw) : Value();
}

Value later(const Value& instant, rule::Span span, const BusinessZone& zone) {
  const auto time = rule::as_instant(instant, zone);
  return time ? Value::of(rule::plus(*time, span, zone)) : Value();
}

Value sum(const Value& a, const Value& b, int sign) {
  const auto left = rule::as_number(a), right = rule::as_number(b);
  return left && right ? Value::of(*left + sign * *right) : Value();
}

// Two numbers, or an instant and a span.
Values plus_or_minus(const Node& node, const Asked& asked, const Event* event) {
  const int sign = node.op == Op::kPlus ? 1 : -1;
  const Node& a = node.of[0];
  const Node& b = node.of[1];
  Values out;
  if (b.op == Op::kSpan) {
    const rule::Span span{sign * b.span.count, b.span.unit};
    for (const Value& value : values_of(a, asked, event)) {
      out.push_back(later(value, span, asked.moment.zone));
    }
  } else {
    for (const Value& left : values_of(a, asked, event)) {
      for (const Value& right : values_of(b, asked, event)) out.push_back(sum(left, right, sign));
    }
  }
  return out;
}

Values days_since(const Node& node, const Asked& asked, const Event* event) {
  const BusinessZone& zone = asked.moment.zone;
  Values out;
  for (const Value& value : values_of(node.of[0], asked, event)) {
    const auto time = rule::as_instant(value, zone);
    out.push_back(time ? number(zone.day_of(asked.moment.now).value() - zone.day_of(*time).value())
                       : Value());
  }
  return out;
}

// Each cut that the number has reached is a hundredth.
Values percentile(const Node& node, const Asked& asked, const Event* event) {
  const rule::Cuts* cuts = asked.facts.cuts(rule::measure_key(node.of[0], asked.moment.zone.name()));
  Values out;
  for (const Value& value : values_of(node.of[0], asked, event)) {
    const auto own = rule::as_number(value);
    if (!own || cuts == nullptr) continue;
    int64_t reached = 0;
    for (const Sum cut : *cuts) reached += cut <= *own;
    out.push_back(number(reached));
  }
  return out;
}

// The first whose condition holds.
Values chosen(const Node& node, const Asked& asked, const Event* event) {
  size_t i = 0;
  for (; i + 1 < node.of.size(); i += 2) {
    if (holds(node.of[i], asked, event)) return values_of(node.of[i + 1], asked, event);
  }
  if (i < node.of.size()) return values_of(node.of[i], asked, event);
  return {};
}

Value of_event(const Node& node, const Asked& asked, const Event& event) {
  switch (node.op) {
    case Op::kChannel:
      return Value::of(to_string(event.channel));
    case Op::kSource:
      return Value::of(asked.facts.source_name(event.source));
    case Op::kEventHour:
      return number(rule::hour_of(event.time, asked.moment.zone));
    default:
      return number(rule::weekday_of(event.time, asked.moment.zone));
  }
}

}  // namespace

Values values_of(const Node& node, const Asked& asked, const Event* event) {
  const Moment& moment = asked.moment;
  switch (node.op) {
    case Op::kBool:
      return {Value::of(node.number != Decimal())};
    case Op::kNumber:
      return {Value::of(Sum{node.number.units()})};
    case Op::kText:
      return {Value::of(node.text)};
    case Op::kDate:
      return {Value::of(moment.zone.start_of(node.window.from))};
    case Op::kTrait:
      return {trait(node, asked.facts)};
    case Op::kTag:
      return {asked.facts.tag(node.text)};
    case Op::kSegment:
      return {Value::of(asked.facts.in_segment(node.text))};
    case Op::kNow:
      return {Value::of(moment.now)};
    case Op::kToday:
      return {Value::of(moment.zone.start_of(moment.zone.day_of(moment.now)))};
    case Op::kProperty:
      return event == nullptr ? Values() : values_at(node.text, *event);
    case Op::kChannel:
    case Op::kSource:
    case Op::kEventHour:
    case Op::kEventWeekday:
      return event == nullptr ? Values() : Values{of_event(node, asked, *event)};
    case Op::kPlus:
    case Op::kMinus:
      return plus_or_minus(node, asked, event);
    case Op::kDaysSince:
      return days_since(node, asked, event);
    case Op::kPercentile:
      return percentile(node, asked, event);
    case Op::kRfm:
      return {rfm_value(node, asked)};
    case Op::kCase:
      return chosen(node, asked, event);
    default:
      break;
  }
  if (rule::is_condition(node.op)) return {Value::of(condition_holds(node, asked, event))};
  if (rule::is_aggregate(node.op)) return {function_value(node, asked)};
  return {};  // spans, lists, steps and events are no values by themselves
}

bool holds(const Node& condition, const Asked& asked, const Event* event) {
  if (rule::is_condition(condition.op)) return condition_holds(condition, asked, event);
  for (const Value& value : values_of(condition, asked, event)) {
    if (rule::as_bool(value).value_or(false)) return true;
  }
  return false;
}

}  // namespace kehu::interpreter
