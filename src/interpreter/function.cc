#include "interpreter/function.h"

#include <algorithm>
#include <array>
#include <set>
#include <tuple>

#include "base/text.h"
#include "interpreter/sample.h"
#include "interpreter/selection.h"
#include "interpreter/sequence.h"

namespace kehu::interpreter {
namespace {

using rule::Node;
using rule::Op;
using rule::Value;

Value number(size_t whole) { return Value::of(Sum{static_cast<int64_t>(whole)} * Decimal::kScale); }

std::vector<Sum> numbers_at(std::string_view path, const Selected& events, const Asked& asked) {
  std::vector<Sum> out;
  for (const Event* event : events) {
    for (const Value& value : values_at(path, *event, asked)) {
      if (const auto one = rule::as_number(value)) out.push_back(*one);
    }
  }
  return out;
}

Value of_numbers(Op op, const std::vector<Sum>& numbers) {
  Sum sum = 0;
  for (const Sum one : numbers) sum += one;
  if (op == Op::kSum) return Value::of(sum);
  if (numbers.empty()) return {};
  if (op == Op::kAverage) return Value::of(rule::divided(sum, static_cast<int64_t>(numbers.size())));
  const auto [least, greatest] = std::minmax_element(numbers.begin(), numbers.end());
  return Value::of(op == Op::kMin ? *least : *greatest);
}

// The value that is kept of an event: the greatest text; a text rather than a number of the same spelling.
Value kept(const Values& values, const BusinessZone& zone) {
  Value greatest;
  std::string greatest_text;
  for (Value value : values) {
    value.text = std::string(cut_utf8(value.text, rule::kValueBytes));
    const std::string text = *rule::as_text(value, zone);
    if (greatest.known() && std::tie(text, value.kind) <= std::tie(greatest_text, greatest.kind)) continue;
    greatest = value;
    greatest_text = text;
  }
  return greatest;
}

// `events` begin with those that count most.
Value value_of_first(std::string_view path, const Selected& events, const Asked& asked) {
  Values values;
  Instant time;
  for (const Event* event : events) {
    if (!values.empty() && event->time != time) break;
    time = event->time;
    for (const Value& value : values_at(path, *event, asked)) values.push_back(value);
  }
  return kept(values, asked.moment.zone);
}

Value time_of(const Selected& events, size_t place) {
  return place < events.size() ? Value::of(events[place]->time) : Value();
}

Value first_or_last(const Node& function, Selected events, const Asked& asked) {
  if (function.op == Op::kLast) std::reverse(events.begin(), events.end());
  if (function.text.empty()) return time_of(events, 0);
  return value_of_first(function.text, events, asked);
}

Value nth(const Node& function, const Selected& events) {
  const int64_t place = function.number.units() / Decimal::kScale;
  return place < 1 ? Value() : time_of(events, static_cast<size_t>(place - 1));
}

Value share(const Node& function, const Selected& events, const Asked& asked) {
  Node all = function.of[0];
  all.of.clear();
  const size_t total = selected(all, function.window, asked).size();
  if (total == 0) return {};
  return Value::of(rule::divided(number(events.size()).number, static_cast<int64_t>(total)));
}

Value active_days(const Selected& events, const BusinessZone& zone) {
  std::set<CivilDay> days;
  for (const Event* event : events) days.insert(zone.day_of(event->time));
  return number(days.size());
}

// Days of 24 hours.
Value interval(const Selected& events) {
  if (events.size() < 2) return {};
  const Sum micros = (events.back()->time - events.front()->time).micros();
  const auto gaps = static_cast<int64_t>(events.size()) - 1;
  return Value::of(rule::divided(micros * Decimal::kScale, Duration::days(1).micros() * gaps));
}

}  // namespace

Value function_value(const Node& function, const Asked& asked) {
  const BusinessZone& zone = asked.moment.zone;
  if (function.op == Op::kSequence) return Value::of(sequence_holds(function, asked));
  if (function.op == Op::kStage) return stage(function, asked);
  const Selected events = selected(function.of[0], function.window, asked);
  switch (function.op) {
    case Op::kDid:
      return Value::of(!events.empty());
    case Op::kCount:
      return number(events.size());
    case Op::kDistinct:
      return Value::of(distinct(function, asked));
    case Op::kTop:
    case Op::kTopN:
      return top(function, asked);
    case Op::kFirst:
    case Op::kLast:
      return first_or_last(function, events, asked);
    case Op::kNth:
      return nth(function, events);
    case Op::kShare:
      return share(function, events, asked);
    case Op::kActiveDays:
      return active_days(events, zone);
    case Op::kInterval:
      return interval(events);
    default:
      return of_numbers(function.op, numbers_at(function.text, events, asked));
  }
}

// Three times a fifth of the customers that have such events.
Value rfm_value(const Node& rfm, const Asked& asked) {
  const BusinessZone& zone = asked.moment.zone;
  const Selected events = selected(rfm.of[0], rfm.window, asked);
  if (events.empty()) return {};
  const int64_t days = zone.day_of(asked.moment.now).value() - zone.day_of(events.back()->time).value();
  const std::array<Sum, 3> own = {Sum{-days} * Decimal::kScale, number(events.size()).number,
                                  of_numbers(Op::kSum, numbers_at(rfm.text, events, asked)).number};
  std::string score;
  for (size_t i = 0; i < own.size(); ++i) {
    const rule::Cuts* cuts = asked.facts.cuts(rule::measure_key(rule::rfm_numbers(rfm)[i], zone.name()));
    if (cuts == nullptr) return {};
    const auto reached = std::ranges::count_if(*cuts, [&](Sum cut) { return cut <= own[i]; });
    score.push_back(static_cast<char>('1' + reached / 20));
  }
  return Value::of(std::string_view(score));
}

}  // namespace kehu::interpreter
