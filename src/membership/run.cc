#include "membership/run.h"

#include <algorithm>

#include "absl/time/civil_time.h"
#include "rule/compare.h"
#include "rule/wall_clock.h"
#include "tally/slide.h"

// Besides the value, each step says until when it stays. That of an "and" which is false stays as long as any
// of its false operands does, and so on: the longer these moments, the fewer timers there are.
namespace kehu::membership {

using rule::Op;
using rule::Type;
using rule::Value;

namespace {

Value number(int64_t whole) { return Value::of(Sum{whole} * Decimal::kScale); }

// Born on 29 February, it is on the 28th of other years.
absl::CivilDay birthday_in(absl::civil_year_t year, absl::CivilDay born) {
  const absl::CivilDay day(year, born.month(), born.day());
  return day.month() == born.month() ? day : day - 1;
}

// Conditions that hold when they do for one of several values; between has its own way.
bool looks_at_values(Op op) {
  return rule::is_comparison(op) || op == Op::kIn || (Op::kContains <= op && op <= Op::kMatches) ||
         op == Op::kWithin || op == Op::kBirthday;
}

Run::Step constant(Value value, Type type) {
  Run::Step step{.op = Op::kText};
  step.constant = std::move(value);
  step.type = type;
  return step;
}

// now, or a span before or behind it.
bool moves_with_now(const Run::Step& step) {
  if (step.op == Op::kNow) return true;
  if (step.op != Op::kPlus && step.op != Op::kMinus) return false;
  return (moves_with_now(step.of[0]) && step.of[1].op == Op::kSpan) ||
         (step.of[0].op == Op::kSpan && moves_with_now(step.of[1]));
}

Instant moved(const Run::Step& step, Instant now, const BusinessZone& zone) {
  if (step.op == Op::kNow) return now;
  const bool span_first = step.of[0].op == Op::kSpan;
  rule::Span span = step.of[span_first ? 0 : 1].span;
  if (step.op == Op::kMinus) span.count = -span.count;
  return rule::plus(moved(step.of[span_first ? 1 : 0], now, zone), span, zone);
}

}  // namespace

Answer Run::answer(const Step& step) {
  if (step.takes_lists && looks_at_values(step.op)) {
    if (auto known = of_lists(step)) return *known;
  }
  if (rule::is_comparison(step.op)) return comparison(step);
  switch (step.op) {
    case Op::kAnd:
      return all(step, true);
    case Op::kOr:
      return all(step, false);
    case Op::kNot:
      return opposite(step);
    case Op::kBetween:
      return between(step);
    case Op::kIn:
      return among(step);
    case Op::kContains:
    case Op::kStartsWith:
    case Op::kEndsWith:
    case Op::kMatches:
      return texts(step);
    case Op::kIsKnown: {
      const Answer of = answer(step.of[0]);
      return {Value::of(of.value.known()), of.until};
    }
    case Op::kWithin:
      return within(step);
    case Op::kBirthday:
      return birthday(step);
    case Op::kPlus:
    case Op::kMinus:
      return sum(step);
    case Op::kCase:
      return cases(step);
    case Op::kBand:
      return band(step);
    case Op::kDaysSince:
      return days_since(step);
    case Op::kPercentile:
      return percentile(step);
    case Op::kRfm:
      return rfm(step);
    case Op::kAge:
      return age(step);
    case Op::kTrait:
    case Op::kTraitTime:
    case Op::kTraitSource:
    case Op::kListed:
    case Op::kListValue:
      return {asked_.trait(step.op, step.text)};
    case Op::kSegment: {
      const Value result = asked_.result(step.number);
      return {Value::of(rule::as_bool(result).value_or(false))};
    }
    case Op::kTag:
      return {asked_.result(step.number)};
    case Op::kNow:
      return {Value::of(now_), midnight()};
    case Op::kToday:
      return {Value::of(zone_.start_of(zone_.day_of(now_))), midnight()};
    default:
      return step.tallies.empty() ? Answer{step.constant} : function(step);
  }
}

// All operands are `wanted` (and), or none of them is the opposite of it (or).
Answer Run::all(const Step& step, bool wanted) {
  Answer answer{Value::of(wanted)};
  Instant broken_until = kFirstInstant;
  for (const Step& operand : step.of) {
    const Answer of = this->answer(operand);
    if (truth(of) == wanted) {
      answer.until = std::min(answer.until, of.until);
      continue;
    }
    answer.value = Value::of(!wanted);
    broken_until = std::max(broken_until, of.until);
    if (broken_until == kLastInstant) break;
  }
  if (truth(answer) != wanted) answer.until = broken_until;
  return answer;
}

Answer Run::opposite(const Step& step) {
  const Answer of = answer(step.of[0]);
  return {Value::of(!truth(of)), of.until};
}

// Of a list each text in turn stands where the list does. Lists are short and few, so the step is copied.
std::optional<Answer> Run::of_lists(const Step& step) {
  for (size_t i = 0; i < step.of.size(); ++i) {
    if (!step.of[i].may_be_list) continue;
    const Answer list = answer(step.of[i]);
    if (list.value.kind != Value::Kind::kList) continue;
    Step single = step;
    Answer any{Value::of(false), list.until};
    for (Value& text : rule::elements(list.value)) {
      single.of[i] = constant(std::move(text), step.of[i].type);
      add(answer(single), any);
    }
    return any;
  }
  return std::nullopt;
}

Answer Run::between(const Step& step) {
  const Answer value = answer(step.of[0]);
  if (value.value.kind != Value::Kind::kList) return answer(step.of[1]);
  Step both = step.of[1];
  Answer any{Value::of(false), value.until};
  for (const Value& text : rule::elements(value.value)) {
    for (Step& bound : both.of) bound.of[0] = constant(text, bound.of[0].type);
    add(answer(both), any);
  }
  return any;
}

// Whether one of several holds.
void Run::add(const Answer& one, Answer& any) const {
  any.value = Value::of(truth(any) || truth(one));
  any.until = std::min(any.until, one.until);
}

Answer Run::comparison(const Step& step) {
  if (auto known = sliding(step)) return *known;
  if (auto known = days_compared(step)) return *known;
  if (auto known = now_compared(step)) return *known;
  const Answer a = answer(step.of[0]);
  const Answer b = answer(step.of[1]);
  return {Value::of(rule::holds(step.op, a.value, b.value, step.of[1].type, zone_)),
          std::min(a.until, b.until)};
}

Answer Run::among(const Step& step) {
  const Answer value = answer(step.of[0]);
  const bool found = std::ranges::any_of(step.of[1].of, [&](const Step& item) {
    return rule::holds(Op::kEqual, value.value, item.constant, item.type, zone_);
  });
  return {Value::of(found), value.until};
}

Answer Run::texts(const Step& step) {
  const Answer a = answer(step.of[0]);
  const auto text = rule::as_text(a.value, zone_);
  if (step.op == Op::kMatches) {
    return {Value::of(text && step.pattern && step.pattern->found_in(*text)), a.until};
  }
  const Answer b = answer(step.of[1]);
  const auto part = rule::as_text(b.value, zone_);
  bool holds = text && part;
  if (holds && step.op == Op::kStartsWith) {
    holds = text->starts_with(*part);
  } else if (holds && step.op == Op::kEndsWith) {
    holds = text->ends_with(*part);
  } else if (holds) {
    holds = text->find(*part) != std::string::npos;
  }
  return {Value::of(holds), std::min(a.until, b.until)};
}

Answer Run::within(const Step& step) {
  const Answer of = answer(step.of[0]);
  const auto t = rule::as_instant(of.value, zone_);
  if (!t) return {Value::of(false), of.until};
  const rule::Extent extent = rule::extent(step.window, now_, zone_);
  if (extent.contains(*t))
    return {Value::of(true), std::min(of.until, tally::leaves(step.window, *t, now_, zone_))};
  const Instant edge = *t < extent.from ? kLastInstant : rule::next_edge(step.window, now_, zone_);
  return {Value::of(false), std::min(of.until, edge)};
}

Answer Run::birthday(const Step& step) {
  const Answer of = answer(step.of[0]);
  const auto t = rule::as_instant(of.value, zone_);
  if (!t) return {Value::of(false), of.until};
  const absl::CivilDay born = rule::civil(zone_.day_of(*t));
  const absl::CivilDay today = rule::civil(zone_.day_of(now_));
  const absl::CivilDay last = rule::civil(zone_.day_of(rule::plus(now_, step.span, zone_)));
  bool holds = false;
  for (const absl::civil_year_t year : {today.year(), today.year() + 1}) {
    const absl::CivilDay day = birthday_in(year, born);
    holds |= today <= day && day <= last;
  }
  return {Value::of(holds), std::min(of.until, midnight())};
}

Answer Run::sum(const Step& step) {
  const Step& a = step.of[0];
  const Step& b = step.of[1];
  if (a.op == Op::kSpan || b.op == Op::kSpan) {
    const Step& instant = a.op == Op::kSpan ? b : a;
    const Answer of = answer(instant);
    return {rule::shifted(step.op, of.value, a.op == Op::kSpan ? a.span : b.span, zone_), of.until};
  }
  const Answer left = answer(a), right = answer(b);
  return {rule::sum(step.op, left.value, right.value), std::min(left.until, right.until)};
}

Answer Run::cases(const Step& step) {
  Instant until = kLastInstant;
  for (size_t i = 0; i + 1 < step.of.size(); i += 2) {
    const Answer when = answer(step.of[i]);
    until = std::min(until, when.until);
    if (!truth(when)) continue;
    const Answer then = answer(step.of[i + 1]);
    return {then.value, std::min(until, then.until)};
  }
  if (step.of.size() % 2 == 0) return {Value(), until};
  const Answer rest = answer(step.of.back());
  return {rest.value, std::min(until, rest.until)};
}

Answer Run::days_since(const Step& step) {
  const Answer of = answer(step.of[0]);
  const auto t = rule::as_instant(of.value, zone_);
  if (!t) return {Value(), of.until};
  return {number(zone_.day_of(now_).value() - zone_.day_of(*t).value()), std::min(of.until, midnight())};
}

Answer Run::percentile(const Step& step) {
  const Answer of = answer(step.of[0]);
  return {rule::percentile(of.value, asked_.cuts(step.text)), of.until};
}

Answer Run::rfm(const Step& step) {
  std::string score;
  Instant until = kLastInstant;
  for (const Step& number : step.of) {
    const Answer of = percentile(number);
    until = std::min(until, of.until);
    if (of.value.known()) score += std::to_string(rule::fifth_of(of.value));
  }
  return {score.size() == step.of.size() ? Value::of(std::string_view(score)) : Value(), until};
}

// Grows by one on each birthday.
Answer Run::age(const Step& step) {
  const Answer of = answer(step.of[0]);
  const auto t = rule::as_instant(of.value, zone_);
  if (!t) return {Value(), of.until};
  const absl::CivilDay born = rule::civil(zone_.day_of(*t));
  const absl::CivilDay today = rule::civil(zone_.day_of(now_));
  const auto until = [&](absl::CivilDay day) {
    const auto days = static_cast<int32_t>(day - absl::CivilDay(1970, 1, 1));
    return std::min(of.until, zone_.start_of(CivilDay(days)));
  };
  if (born > today) return {Value(), until(born)};
  const bool was_this_year = birthday_in(today.year(), born) <= today;
  const absl::civil_year_t last = today.year() - (was_this_year ? 0 : 1);
  return {number(last - born.year()), until(birthday_in(last + 1, born))};
}

Answer Run::band(const Step& step) {
  const Answer of = answer(step.of[0]);
  const auto number = rule::as_number(of.value);
  if (!number) return {Value(), of.until};
  const auto found =
      rule::band_of(*number, step.of.size(), [&](size_t bound) { return step.of[bound].constant.number; });
  return {found ? step.of[*found].constant : Value(), of.until};
}

// days_since(t) grows by one each midnight: it crosses a constant on one of them.
std::optional<Answer> Run::days_compared(const Step& step) {
  const bool first = step.of[0].op == Op::kDaysSince;
  const Step& days = step.of[first ? 0 : 1];
  const Step& bound = step.of[first ? 1 : 0];
  if (days.op != Op::kDaysSince || bound.op != Op::kNumber) return std::nullopt;
  const Op op = first ? step.op : rule::mirrored(step.op);
  if (op == Op::kEqual || op == Op::kNotEqual) return std::nullopt;
  const Answer of = answer(days.of[0]);
  const auto t = rule::as_instant(of.value, zone_);
  if (!t) return Answer{Value::of(false), of.until};
  const int64_t day = zone_.day_of(*t).value();
  const int64_t since = zone_.day_of(now_).value() - day;
  const int64_t units = static_cast<int64_t>(bound.constant.number);
  const int64_t whole = units / Decimal::kScale - (units % Decimal::kScale < 0 ? 1 : 0);  // rounded down
  const bool from_there = op == Op::kAtLeast || op == Op::kLess;
  const int64_t crossing = from_there && units % Decimal::kScale == 0 ? whole : whole + 1;
  Instant until = of.until;
  if (since < crossing && day + crossing < 100'000) {
    until = std::min(until, zone_.start_of(CivilDay(static_cast<int32_t>(day + crossing))));
  }
  return Answer{Value::of(rule::holds(op, number(since), bound.constant, Type::kNumber, zone_)), until};
}

// A moment is passed once: the first moment at which "now", or what is so much before or behind it, reaches
// the other side, and the one behind that.
std::optional<Answer> Run::now_compared(const Step& step) {
  const bool first = moves_with_now(step.of[0]);
  const Step& moving = step.of[first ? 0 : 1];
  const Step& fixed = step.of[first ? 1 : 0];
  if (!moves_with_now(moving) || moves_with_now(fixed)) return std::nullopt;
  const Answer of = answer(fixed);
  const auto t = rule::as_instant(of.value, zone_);
  if (!t) return Answer{Value::of(false), of.until};
  const auto first_reaching = [&](Instant bound) {
    int64_t low = now_.micros(), high = kLastInstant.micros();
    while (low < high) {
      const int64_t middle = low + (high - low) / 2;
      if (moved(moving, Instant(middle), zone_) >= bound) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return Instant(low);
  };
  const Instant now = moved(moving, now_, zone_);
  const Value a = Value::of(now), b = Value::of(*t);
  const bool holds = rule::holds(step.op, first ? a : b, first ? b : a, Type::kInstant, zone_);
  Instant until = of.until;
  if (now < *t) until = std::min(until, first_reaching(*t));
  if (now == *t) until = std::min(until, first_reaching(*t + Duration(1)));
  return Answer{Value::of(holds), until};
}

}  // namespace kehu::membership
