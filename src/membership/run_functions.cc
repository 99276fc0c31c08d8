#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "membership/run.h"
#include "rule/compare.h"
#include "tally/slide.h"

// Functions of events, from what is left of them: totals, and one number for each granule.
namespace kehu::membership {

using rule::Granule;
using rule::Op;
using rule::Value;
using rule::Window;

namespace {

Value number(uint64_t whole) { return Value::of(Sum{static_cast<int64_t>(whole)} * Decimal::kScale); }

bool slides_open(const Window& window) { return window.kind == Window::Kind::kLast; }
bool has_end(const Window& window) {
  return window.kind != Window::Kind::kEver && window.kind != Window::Kind::kLast &&
         window.kind != Window::Kind::kSince;
}

Value of_numbers(Op op, const tally::Amount& amount) {
  switch (op) {
    case Op::kSum:
      return Value::of(amount.sum);
    case Op::kCount:
      return number(amount.count);
    case Op::kAverage:
      return amount.count == 0 ? Value()
                               : Value::of(rule::divided(amount.sum, static_cast<int64_t>(amount.count)));
    case Op::kMin:
      return amount.count == 0 ? Value() : Value::of(Sum{amount.min});
    case Op::kMax:
      return amount.count == 0 ? Value() : Value::of(Sum{amount.max});
    default:
      return {};
  }
}

// Whether a step is a number of events in an open window, which goes with the oldest of them.
bool slides(const Run::Step& step) {
  return (step.op == Op::kCount || step.op == Op::kSum || step.op == Op::kAverage || step.op == Op::kMin ||
          step.op == Op::kMax || step.op == Op::kShare) &&
         slides_open(step.window);
}

Value part_of(uint64_t part, uint64_t all) {
  if (all == 0) return {};
  return Value::of(rule::divided(number(part).number, static_cast<int64_t>(all)));
}

// As docs/rules.md has it, and aggregate::estimate_distinct.
uint64_t estimated(size_t found, uint64_t largest_hash) {
  const double space = static_cast<double>(aggregate::kKeyMask) + 1;
  const double all =
      static_cast<double>(tally::Texts::kTexts - 1) * space / (static_cast<double>(largest_hash) + 1);
  return static_cast<uint64_t>(
      std::llround(all * static_cast<double>(found) / static_cast<double>(tally::Texts::kTexts)));
}

// Of equals the first by code point, which is the order of the map.
std::vector<std::string> most_frequent(const std::map<std::string_view, uint64_t>& counts, size_t most) {
  std::vector<std::pair<std::string_view, uint64_t>> sorted(counts.begin(), counts.end());
  std::ranges::stable_sort(sorted, std::ranges::greater(), [](const auto& each) { return each.second; });
  sorted.resize(std::min(sorted.size(), most));
  std::vector<std::string> texts;
  for (const auto& [text, count] : sorted) texts.emplace_back(text);
  return texts;
}

}  // namespace

// Of a window of so many granules of this size, by far the most, without the calendar.
Run::Range Run::granules(const Window& window, Granule granule) const {
  if (const auto count = rule::granules(window); count && rule::granule(window) == granule) {
    return {rule::granule_of(now_, granule, zone_) - *count + 1, INT64_MAX};
  }
  const rule::Extent extent = rule::extent(window, now_, zone_);
  Range range{rule::granule_of(extent.from, granule, zone_), INT64_MAX};
  if (extent.to <= kLastInstant) range.last = rule::granule_of(extent.to - Duration(1), granule, zone_);
  return range;
}

Instant Run::leaves(const Window& window, int64_t number, Granule granule) const {
  if (const auto count = rule::granules(window); count && rule::granule(window) == granule) {
    return std::max(rule::start_of(number + *count, granule, zone_), now_);
  }
  return tally::leaves(window, rule::start_of(number, granule, zone_), now_, zone_);
}

Answer Run::function(const Step& step) {
  switch (step.op) {
    case Op::kShare:
      return share(step);
    case Op::kActiveDays:
      return active_days(step);
    case Op::kDistinct:
    case Op::kTop:
    case Op::kTopN:
      return texts_of(step);
    case Op::kFirst:
    case Op::kLast:
      return end_value(step);
    case Op::kNth:
      return nth(step);
    case Op::kSequence:
    case Op::kStage:
      return steps(step);
    default: {
      const Held held = this->held(step, step.tallies[0]);
      return of_amounts(step, held.amount, held.until);
    }
  }
}

Answer Run::of_amounts(const Step& step, const tally::Amount& amount, Instant until) const {
  if (step.op == Op::kDid) return {Value::of(amount.count > 0), until};
  if (step.op == Op::kInterval) {
    if (amount.count < 2) return {Value(), until};
    const Sum micros = (amount.last - amount.first).micros();
    const auto gaps = static_cast<int64_t>(amount.count) - 1;
    return {Value::of(rule::divided(micros * Decimal::kScale, Duration::days(1).micros() * gaps)), until};
  }
  return {of_numbers(step.op, amount), until};
}

Run::Held Run::held(const Step& step, uint32_t tally) {
  const tally::Amounts& amounts = asked_.totals().of(tally).amounts;
  const Granule granule = step.granule;
  if (granule == Granule::kNone) return {amounts.total()};
  const Range range = granules(step.window, granule);
  Held held;
  std::optional<int64_t> oldest, newest;
  bool moves = false;
  for (const tally::Amounts::Bucket& bucket : amounts.buckets()) {
    moves |= bucket.number >= range.first;
    if (!range.contains(bucket.number)) continue;
    held.amount.add(bucket.amount);
    oldest = bucket.number;
    if (!newest) newest = bucket.number;
  }
  if (!slides_open(step.window)) {
    if (moves) held.until = rule::next_edge(step.window, now_, zone_);
  } else if (oldest) {
    // Whether there was one changes only when the newest leaves.
    held.until = leaves(step.window, step.op == Op::kDid ? *newest : *oldest, granule);
  }
  return held;
}

// As a window slides on without events, its oldest granules leave one after the other: the comparison is made
// for each of these steps, up to the first that decides otherwise. So "at least three in 30 days" of somebody
// with fifty is due once, and not at each midnight.
std::optional<Answer> Run::sliding(const Step& step) {
  const bool first = slides(step.of[0]);
  const Step& function = step.of[first ? 0 : 1];
  const Step& bound = step.of[first ? 1 : 0];
  if (!slides(function) || bound.op != Op::kNumber) return std::nullopt;
  const auto holds = [&](const Value& value) {
    return rule::holds(step.op, first ? value : bound.constant, first ? bound.constant : value,
                       rule::Type::kNumber, zone_);
  };
  // From the newest on: what is left when all older ones have left, and whether it holds then.
  const bool is_share = function.op == Op::kShare;
  const auto& part = asked_.totals().of(function.tallies[0]).amounts.buckets();
  const auto& all = is_share ? asked_.totals().of(function.tallies[1]).amounts.buckets() : part;
  const Range range = granules(function.window, function.granule);
  tally::Amount amount;
  uint64_t others = 0;
  auto of_part = part.begin();
  bool held = holds(is_share ? Value() : of_numbers(function.op, amount));  // of nothing
  std::optional<int64_t> decides;
  for (const tally::Amounts::Bucket& bucket : all) {
    if (!range.contains(bucket.number)) continue;
    others += bucket.amount.count;
    while (of_part != part.end() && of_part->number > bucket.number) ++of_part;
    if (of_part != part.end() && of_part->number == bucket.number) amount.add(of_part->amount);
    const bool now = holds(is_share ? part_of(amount.count, others) : of_numbers(function.op, amount));
    if (now != held) decides = bucket.number;  // with this one it is so, and without it otherwise
    held = now;
  }
  const Instant until = decides ? leaves(function.window, *decides, function.granule) : kLastInstant;
  return Answer{Value::of(held), until};
}

Answer Run::share(const Step& step) {
  const Held part = held(step, step.tallies[0]);
  const Held all = held(step, step.tallies[1]);
  return {part_of(part.amount.count, all.amount.count), std::min(part.until, all.until)};
}

Answer Run::active_days(const Step& step) {
  const tally::Amounts& amounts = asked_.totals().of(step.tallies[0]).amounts;
  const tally::Spec& spec = asked_.totals().counter(step.tallies[0]).spec;
  const Range range = granules(step.window, spec.granule);
  std::set<CivilDay> days;
  for (const tally::Amounts::Bucket& bucket : amounts.buckets()) {
    if (!range.contains(bucket.number)) continue;
    if (spec.ends) {
      days.insert({zone_.day_of(bucket.amount.first), zone_.day_of(bucket.amount.last)});
    } else {
      days.insert(zone_.day_of(rule::start_of(bucket.number, spec.granule, zone_)));
    }
  }
  return {number(days.size()), held(step, step.tallies[0]).until};
}

Answer Run::texts_of(const Step& step) {
  const tally::Texts& texts = asked_.totals().of(step.tallies[0]).texts;
  const Granule granule = step.granule;
  const Range range = granules(step.window, granule);
  std::map<std::string_view, uint64_t> counts;
  size_t found = 0;
  Instant until = kLastInstant;
  for (const tally::Texts::Entry& entry : texts.entries()) {
    uint64_t count = granule == Granule::kNone ? entry.count : 0;
    for (const tally::Texts::Bucket& bucket : entry.buckets) {
      const bool inside = range.contains(bucket.number);
      if (inside) count += bucket.count;
      if (inside && slides_open(step.window))
        until = std::min(until, leaves(step.window, bucket.number, granule));
      if (!slides_open(step.window) && bucket.number >= range.first) {
        until = rule::next_edge(step.window, now_, zone_);
      }
    }
    if (count > 0) counts[entry.text] += count, ++found;
  }
  if (step.op == Op::kDistinct) {
    return {number(texts.beyond() ? estimated(found, texts.entries().back().hash) : found), until};
  }
  if (step.op == Op::kTopN) return {Value::list(most_frequent(counts, step.number)), until};
  const auto most = std::ranges::max_element(counts, {}, [](const auto& each) { return each.second; });
  return {most == counts.end() ? Value() : Value::of(most->first), until};
}

// Of a window without an end, the last of all is its last, if it lies there at all.
Answer Run::end_value(const Step& step) {
  const tally::State& state = asked_.totals().of(step.tallies[0]);
  const tally::Spec& spec = asked_.totals().counter(step.tallies[0]).spec;
  const bool moments = spec.path.empty();
  const auto answer = [&](const tally::EndValues::End& end) {
    return Answer{end.value, slides_open(step.window) ? tally::leaves(step.window, end.time, now_, zone_)
                                                      : kLastInstant};
  };
  tally::EndValues::End end;
  if (step.granule != Granule::kNone) {
    const Range range = granules(step.window, step.granule);
    Answer last;
    const auto look = [&](int64_t bucket, const Value& value) {
      if (bucket >= range.first) last.until = rule::next_edge(step.window, now_, zone_);
      if (range.contains(bucket) && !last.value.known()) last.value = value;
    };
    for (const auto& bucket : state.amounts.buckets()) {
      if (moments) look(bucket.number, Value::of(bucket.amount.last));
    }
    for (const auto& bucket : state.ends.buckets()) {
      if (!moments) look(bucket.number, bucket.last.value);
    }
    return last;
  }
  if (moments) {
    const tally::Amount& total = state.amounts.total();
    if (total.count == 0) return {};
    end.time = step.op == Op::kFirst ? total.first : total.last;
    end.value = Value::of(end.time);
  } else {
    end = step.op == Op::kFirst ? state.ends.first() : state.ends.last();
    if (!end.value.known()) return {};
  }
  if (step.op == Op::kFirst || has_end(step.window)) return {end.value};
  if (!rule::extent(step.window, now_, zone_).contains(end.time)) return {};
  return answer(end);
}

Answer Run::nth(const Step& step) {
  const auto& times = asked_.totals().of(step.tallies[0]).moments.times();
  return {step.number >= 1 && step.number <= times.size() ? Value::of(times[step.number - 1]) : Value()};
}

Answer Run::steps(const Step& step) {
  const tally::Steps& steps = asked_.totals().of(step.tallies[0]).steps;
  const tally::Pattern& pattern = *asked_.totals().counter(step.tallies[0]).pattern;
  if (step.op == Op::kSequence) {
    const auto answer = steps.sequence(pattern, step.window, now_);
    return {Value::of(answer.happened), answer.until};
  }
  const rule::Extent extent = rule::extent(step.window, now_, zone_);
  const size_t reached = steps.stage(pattern, extent);
  const Value value = reached == 0 ? Value() : Value::of(step.names[reached - 1]);
  // The oldest that counts leaves first.
  const auto oldest = std::ranges::lower_bound(steps.events(), extent.from, {}, &tally::Steps::Event::time);
  if (oldest == steps.events().end()) return {value};
  return {value, slides_open(step.window) ? tally::leaves(step.window, oldest->time, now_, zone_)
                                          : rule::next_edge(step.window, now_, zone_)};
}

}  // namespace kehu::membership
