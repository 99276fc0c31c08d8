#include "rule/bounds.h"

#include <string_view>

#include "base/text.h"
#include "rule/tree.h"

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

}  // namespace kehu::rule
