#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "rule/window.h"

// What rules say, as a tree: the one form that the parser, the formatter, the JSON of a visual builder and
// all evaluators share. docs/rules.md gives the meaning of each operator.
namespace kehu::rule {

// What an expression's value is. Any value may be unknown.
enum class Type : uint8_t { kBool, kNumber, kText, kInstant, kSpan, kList };

// Names stand in JSON and in the names of aggregates: never change what is there.
enum class Op : uint8_t {
  // Literals.
  kBool,    // number: 0 or 1
  kNumber,  // number
  kText,    // text
  kDate,    // window.from: the beginning of a civil day
  kSpan,    // span
  kList,    // of: literals

  // What a customer is now.
  kTrait,  // text: the name; a path leads into objects
  // text: the name of a whole trait.
  kTraitTime,    // when the event was that wrote it as it is
  kTraitSource,  // the name of that event's source
  kTag,          // text: the name
  kSegment,      // text: the name; whether the customer is in it
  kListed,       // text: the name of an uploaded list; whether the customer is on it
  kListValue,    // text: the name; what the list says of the customer; unknown if it is not on it
  kNow,
  kToday,  // the beginning of the civil day

  // What one event says; only inside of `where`.
  kProperty,  // text: a path; "products[].price" has several values
  kChannel,
  kSource,
  kEventHour,     // 0 to 23, in the zone
  kEventWeekday,  // 1 (Monday) to 7, in the zone
  kEventHoliday,  // the statutory holiday of China that the civil day belongs to (calendar/holidays.h)
  kEventWorkday,  // whether people in China work on the civil day

  // of: conditions.
  kAnd,
  kOr,
  kNot,
  // of: two values.
  kEqual,
  kNotEqual,
  kLess,
  kAtMost,
  kGreater,
  kAtLeast,
  kBetween,     // of: a value, the least, the greatest; both belong to it
  kIn,          // of: a value, a list
  kContains,    // of: a text or several values, a text
  kStartsWith,  // of: two texts
  kEndsWith,
  kMatches,   // of: a text, a pattern of RE2; found anywhere in it
  kIsKnown,   // of: a value
  kWithin,    // of: an instant; window: whether it lies there
  kBirthday,  // of: an instant; span: whether its day of the year is today or in the next so many days
  // of: two values.
  kPlus,   // numbers; an instant and a span
  kMinus,  // numbers; an instant and a span

  // What events add up to. of: one kEvents; window.
  kDid,  // whether there was one
  kCount,
  kSum,  // text: a path, or ".channel" or ".source" (nodes.h), as in the next seven
  kAverage,
  kMin,
  kMax,
  kDistinct,  // how many different texts
  kTop,       // the most frequent text
  kTopN,      // number: how many of the most frequent texts; a list
  kFirst,     // with a path the first event's value; else when it was
  kLast,
  kNth,    // number: which, from 1; when it was
  kShare,  // of: kEvents with a condition; its part of those without, 0 to 1
  kActiveDays,
  kInterval,   // average days from one to the next
  kDaysSince,  // of: an instant; whole civil days from its day to today
  kAge,        // of: an instant; whole years from its day to today

  kSequence,  // of: kStep and kNotStep; text: a path of what all have in common, or empty; span: within;
              // window
  kStage,     // of: kStep; window; the name of the last one reached
  kStep,      // of: kEvents
  kNotStep,

  kEvents,  // text: the name of a track event, empty: any event; of: nothing, or a condition

  kBand,  // of: a number, then literals: value, bound below which it holds, …; then, if their number is odd,
          // the value of the rest
  kCase,  // of: condition, value, …; then, if their number is odd, the value of the rest

  // What a customer is among all customers; their numbers are measured from time to time (percentile.h).
  kPercentile,  // of: a number; 0 to 99
  kRfm,         // text: a path; of: kEvents; window; three digits from 1 to 5, as a text

  kSql,  // the whole of a tag; text: a statement; span: how often it is run, 1 hour or 1 day

  // The whole of a check. of: a kTrait or kListValue, a value; text: a source, of a trait; number: the least
  // share, above 0 to 1.
  kAgrees,
};
inline constexpr Op kLastOp = Op::kAgrees;
std::string_view to_string(Op op);

// Whether two values stand in this relation: kEqual to kAtLeast.
bool is_comparison(Op op);
// Whether its value is a truth that it finds of its operands: kAnd to kBirthday.
bool is_condition(Op op);
// Whether it is what events add up to: a function of events, a sequence or a stage.
bool is_aggregate(Op op);

// Where something stands in a text: both from 1; columns count characters.
struct Place {
  uint32_t line = 1;
  uint32_t column = 1;
  bool operator==(const Place&) const = default;
};

struct Node {
  Op op = Op::kBool;
  std::string text{};
  Decimal number{};
  Span span{};
  Window window{};
  std::vector<Node> of{};
  std::vector<std::string> comments{};  // lines in front of it, without '#'
  Place place{};                        // means nothing for equality

  bool operator==(const Node& other) const {
    return op == other.op && text == other.text && number == other.number && span == other.span &&
           window == other.window && of == other.of && comments == other.comments;
  }
};

enum class Kind : uint8_t { kSegment, kTag, kCheck };
std::string_view to_string(Kind kind);

// One definition of a file.
struct Definition {
  Kind kind = Kind::kSegment;
  std::string name{};
  Node body{};  // of a segment: a condition; of a check: kAgrees
  // What a file says besides.
  std::string owner{};
  std::string description{};
  std::string time_zone{};       // empty: the project's
  bool keep_when_empty = false;  // a tag whose value becomes unknown keeps the last one
  std::vector<std::string> comments{};
  Place place{};

  bool operator==(const Definition& other) const {
    return kind == other.kind && name == other.name && body == other.body && owner == other.owner &&
           description == other.description && time_zone == other.time_zone &&
           keep_when_empty == other.keep_when_empty && comments == other.comments;
  }
};

// Every text of a tree has its own limits, so that no rule costs more than others pay for.
inline constexpr size_t kRuleBytes = 16 * 1024;  // of one definition's text
inline constexpr size_t kRuleDepth =
    30;  // of nodes below each other; JSON, which nests to 64, needs two for each
inline constexpr size_t kRuleNodes = 1000;
inline constexpr size_t kListItems = 1000;
inline constexpr size_t kSequenceSteps = 8;
inline constexpr size_t kNthMax = 16;
inline constexpr size_t kTopLeast = 2, kTopMost = 10;
inline constexpr size_t kCaseBranches = 100;
inline constexpr size_t kBands = 24;  // besides that of the rest
inline constexpr int64_t kWindowDays = 1100;

}  // namespace kehu::rule
