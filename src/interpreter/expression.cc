#include "calendar/holidays.h"
#include "interpreter/asked.h"
#include "interpreter/condition.h"
#include "interpreter/function.h"
#include "interpreter/selection.h"
#include "rule/nodes.h"
#include "rule/wall_clock.h"

namespace kehu::interpreter {
namespace {

using rule::Node;
using rule::Op;
using rule::Value;

Value number(int64_t whole) { return Value::of(Sum{whole} * Decimal::kScale); }

Values traits(const Node& node, const Facts& facts) {
  Values out;
  if (rule::has_several(node)) {
    facts.each_trait(node.text, [&](const json::RawValue& raw) { out.push_back(Value::of(raw)); });
  } else if (const auto raw = facts.trait(node.text)) {
    out.push_back(Value::of(*raw));
  }
  return out;
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

// Whole years: birthdays since the day, with 28 February for the 29th of years without.
std::optional<int64_t> age(absl::CivilDay born, absl::CivilDay today) {
  if (born > today) return std::nullopt;
  int64_t years = 0;
  while (birthday_in(born.year() + years + 1, born) <= today) ++years;
  return years;
}

Values ages(const Node& node, const Asked& asked, const Event* event) {
  const BusinessZone& zone = asked.moment.zone;
  Values out;
  for (const Value& value : values_of(node.of[0], asked, event)) {
    const auto time = rule::as_instant(value, zone);
    const auto years =
        time ? age(civil_day(*time, zone), civil_day(asked.moment.now, zone)) : std::optional<int64_t>();
    out.push_back(years ? number(*years) : Value());
  }
  return out;
}

// The first band that ends above it, or the rest.
Values bands(const Node& node, const Asked& asked, const Event* event) {
  Values out;
  for (const Value& value : values_of(node.of[0], asked, event)) {
    const auto found = rule::as_number(value);
    size_t band = 1;
    while (found && band + 1 < node.of.size() && *found >= node.of[band + 1].number.units()) band += 2;
    const bool is_known = found && band < node.of.size();
    out.push_back(is_known ? values_of(node.of[band], asked, event).front() : Value());
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

Value source(std::string_view name) { return name.empty() ? Value() : Value::of(name); }

Value of_event(const Node& node, const Asked& asked, const Event& event) {
  switch (node.op) {
    case Op::kChannel:
      return Value::of(to_string(event.channel));
    case Op::kSource:
      return source(asked.facts.source_name(event.source));
    case Op::kEventHour:
      return number(rule::hour_of(event.time, asked.moment.zone));
    case Op::kEventHoliday: {
      const std::string_view name = calendar::holiday_of(asked.moment.zone.day_of(event.time));
      return name.empty() ? Value() : Value::of(name);
    }
    case Op::kEventWorkday:
      return Value::of(calendar::is_workday(asked.moment.zone.day_of(event.time)));
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
      return traits(node, asked.facts);
    case Op::kTraitTime:
    case Op::kTraitSource: {
      const auto origin = asked.facts.origin(node.text);
      if (!origin) return {Value()};
      return {node.op == Op::kTraitTime ? Value::of(origin->time) : source(origin->source)};
    }
    case Op::kTag:
      return {asked.facts.tag(node.text)};
    case Op::kSegment:
      return {Value::of(asked.facts.in_segment(node.text))};
    case Op::kListed:
      return {Value::of(asked.facts.list_value(node.text).has_value())};
    case Op::kListValue:
      return {asked.facts.list_value(node.text).value_or(Value())};
    case Op::kNow:
      return {Value::of(moment.now)};
    case Op::kToday:
      return {Value::of(moment.zone.start_of(moment.zone.day_of(moment.now)))};
    case Op::kProperty:
      return event == nullptr ? Values() : values_at(node.text, *event, asked);
    case Op::kChannel:
    case Op::kSource:
    case Op::kEventHour:
    case Op::kEventWeekday:
    case Op::kEventHoliday:
    case Op::kEventWorkday:
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
    case Op::kAge:
      return ages(node, asked, event);
    case Op::kBand:
      return bands(node, asked, event);
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
