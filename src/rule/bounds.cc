#include "rule/bounds.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "calendar/holidays.h"
#include "rule/compare.h"
#include "rule/tree.h"
#include "text/near_word.h"

namespace kehu::rule {
namespace {

constexpr std::string_view kUnits[] = {"seconds", "minutes", "hours",    "days",
                                       "weeks",   "months",  "quarters", "years"};
constexpr int64_t kShiftYears = 300;  // longer than instants reach
constexpr int64_t kBirthdayDays = 366;

std::string_view word_of(Unit unit) { return kUnits[static_cast<size_t>(unit)]; }

// How many of a unit so many days hold at least.
int64_t units_in(int64_t days, Unit unit) {
  switch (unit) {
    case Unit::kSecond:
      return days * 86'400;
    case Unit::kMinute:
      return days * 1'440;
    case Unit::kHour:
      return days * 24;
    case Unit::kDay:
      return days;
    case Unit::kWeek:
      return days / 7;
    case Unit::kMonth:
      return days * 12 / 366;
    case Unit::kQuarter:
      return days * 4 / 366;
    case Unit::kYear:
      return days / 366;
  }
  return 0;
}

Flaw flaw_of_length(Span span, int64_t days, std::string_view what) {
  const int64_t most = units_in(days, span.unit);
  if (span.count >= 1 && span.count <= most) return {};
  return {cat(what, " has ", span.count, " ", word_of(span.unit)),
          cat("1 to ", most, " ", word_of(span.unit))};
}

bool is_whole(Decimal number, size_t least, size_t most) {
  const int64_t whole = number.units() / Decimal::kScale;
  return number.units() % Decimal::kScale == 0 && whole >= static_cast<int64_t>(least) &&
         whole <= static_cast<int64_t>(most);
}

// Whole numbers, both of which are possible.
struct Range {
  int64_t least;
  int64_t most;
  std::string what;
};

constexpr int64_t kNoEnd = std::numeric_limits<int64_t>::max() / Decimal::kScale;

std::optional<Range> range_of(const Node& node) {
  switch (node.op) {
    case Op::kEventHour:
      return Range{0, 23, "hour is 0 to 23"};
    case Op::kEventWeekday:
      return Range{1, 7, "weekday is 1 (Monday) to 7 (Sunday)"};
    case Op::kPercentile:
      return Range{0, 99, "percentile is 0 to 99"};
    case Op::kCount:
    case Op::kDistinct:
    case Op::kActiveDays:
      return Range{0, kNoEnd, cat(to_string(node.op), " is never below 0")};
    default:
      return std::nullopt;
  }
}

bool may_hold(Op op, const Range& range, Decimal literal) {
  const int64_t least = range.least * Decimal::kScale, most = range.most * Decimal::kScale;
  const int64_t units = literal.units();
  switch (op) {
    case Op::kEqual:
      return units >= least && units <= most && units % Decimal::kScale == 0;
    case Op::kLess:
      return least < units;
    case Op::kAtMost:
      return least <= units;
    case Op::kGreater:
      return most > units;
    case Op::kAtLeast:
      return most >= units;
    default:
      return true;
  }
}

Problem never(const Node& node, std::string_view why, std::string suggestion = "") {
  return {node.place, cat(why, ": this never holds"), "", std::move(suggestion)};
}

std::optional<Problem> never_compares(const Node& node) {
  for (const size_t side : {size_t{0}, size_t{1}}) {
    const Node &ranged = node.of[side], &literal = node.of[1 - side];
    const auto range = range_of(ranged);
    if (!range || literal.op != Op::kNumber) continue;
    if (!may_hold(side == 0 ? node.op : mirrored(node.op), *range, literal.number))
      return never(node, range->what);
  }
  return std::nullopt;
}

std::optional<Problem> never_between(const Node& node) {
  const Node &least = node.of[1], &most = node.of[2];
  const bool dates = least.op == Op::kDate && most.op == Op::kDate;
  if (dates && most.window.from < least.window.from) return never(node, "between ends before it begins");
  if (least.op != Op::kNumber || most.op != Op::kNumber) return std::nullopt;
  const std::string from = least.number.to_string(), to = most.number.to_string();
  if (most.number < least.number)
    return never(node, cat("between ", from, " and ", to, " ends below where it begins"),
                 cat("between ", to, " and ", from));
  const auto range = range_of(node.of[0]);
  if (!range) return std::nullopt;
  const bool apart =
      !may_hold(Op::kAtLeast, *range, least.number) || !may_hold(Op::kAtMost, *range, most.number);
  return apart ? std::optional(never(node, range->what)) : std::nullopt;
}

// The nearest name; of Chinese ones the first that begins alike, since they are too short to be near.
std::string holiday_like(const std::string& name) {
  const auto& known = calendar::holiday_names();
  const std::vector<std::string> names(known.begin(), known.end());
  const std::string_view near = text::near_word(name, names);
  if (!near.empty()) return std::string(near);
  constexpr size_t kCharacter = 3;  // bytes of a Chinese one
  const auto alike = std::ranges::find_if(names, [&](const std::string& each) {
    return name.size() >= kCharacter && each.starts_with(name.substr(0, kCharacter));
  });
  return alike == names.end() ? "" : *alike;
}

std::optional<Problem> no_holiday(const Node& text) {
  const auto& names = calendar::holiday_names();
  if (text.op != Op::kText || std::ranges::find(names, text.text) != names.end()) return std::nullopt;
  const std::string like = holiday_like(text.text);
  return never(text, cat("no holiday is called \"", text.text, "\""),
               like.empty() ? "" : cat("\"", like, "\""));
}

std::optional<Problem> never_is_holiday(const Node& node) {
  if (node.op != Op::kEqual) return std::nullopt;
  if (node.of[0].op == Op::kEventHoliday) return no_holiday(node.of[1]);
  return node.of[1].op == Op::kEventHoliday ? no_holiday(node.of[0]) : std::nullopt;
}

std::optional<Problem> never_in(const Node& node) {
  const std::vector<Node>& items = node.of[1].of;
  if (node.of[0].op == Op::kEventHoliday) {
    for (const Node& item : items) {
      if (auto none = no_holiday(item)) return none;
    }
    return std::nullopt;
  }
  const auto range = range_of(node.of[0]);
  if (!range) return std::nullopt;
  const bool some = std::ranges::any_of(items, [&](const Node& item) {
    return item.op != Op::kNumber || may_hold(Op::kEqual, *range, item.number);
  });
  return some ? std::nullopt : std::optional(never(node, range->what));
}

}  // namespace

Flaw flaw_of(const Window& window) {
  switch (window.kind) {
    case Window::Kind::kLast:
      return flaw_of_length(window.span, kWindowDays, "the window");
    case Window::Kind::kThis:
    case Window::Kind::kPrevious:
      if (window.span.unit >= Unit::kWeek) return {};
      return {cat("there is no window of this or the previous ", word_of(window.span.unit)),
              "today, yesterday, or this or previous week, month, quarter or year"};
    case Window::Kind::kBetween:
      if (window.from <= window.to) return {};
      return {"the window ends before it begins", "the earlier date first"};
    default:
      return {};
  }
}

Flaw flaw_of_limit(Span span) { return flaw_of_length(span, kWindowDays, "the sequence"); }
Flaw flaw_of_shift(Span span) { return flaw_of_length(span, kShiftYears * 366, "the span"); }

Flaw flaw_of_birthday(Span span) {
  if (span.unit == Unit::kDay || span.unit == Unit::kWeek)
    return flaw_of_length(span, kBirthdayDays, "the span");
  return {cat("birthdays are not counted in ", word_of(span.unit)), "days or weeks"};
}

Flaw flaw_of_share(Decimal share) {
  if (share > Decimal() && share.units() <= Decimal::kScale) return {};
  return {cat("a check asks for a share of ", share.to_string()), "more than 0 %, and at most 100 %"};
}

Flaw flaw_of_schedule(Span span) {
  if (span == Span{1, Unit::kHour} || span == Span{1, Unit::kDay}) return {};
  return {"a statement is run neither every hour nor every day", "every hour or every day"};
}

Flaw flaw_of_nth(Decimal number) {
  if (is_whole(number, 1, kNthMax)) return {};
  return {cat("there is no event with the number ", number.to_string()),
          cat("a whole number from 1 to ", kNthMax)};
}

Flaw flaw_of_top(Decimal number) {
  if (is_whole(number, kTopLeast, kTopMost)) return {};
  return {
      cat("top looks for ", number.to_string(), " texts"),
      cat("a whole number from ", kTopLeast, " to ", kTopMost, "; top(…) without one for the most frequent")};
}

std::optional<Problem> never_holds(const Node& node) {
  if (node.op == Op::kBetween) return never_between(node);
  if (node.op == Op::kIn) return never_in(node);
  if (!is_comparison(node.op)) return std::nullopt;
  if (auto never = never_compares(node)) return never;
  return never_is_holiday(node);
}

}  // namespace kehu::rule
