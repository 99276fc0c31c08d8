#include <algorithm>

#include "rule/nodes.h"
#include "rule/value.h"

namespace kehu::rule {
namespace {

// What all values of a case have in common.
std::optional<Type> case_type(const Node& node) {
  const bool has_else = node.of.size() % 2 == 1;
  std::optional<Type> common;
  for (size_t i = 0; i < node.of.size(); ++i) {
    const bool is_value = i % 2 == 1 || (has_else && i + 1 == node.of.size());
    if (!is_value) continue;
    const auto type = static_type(node.of[i]);
    if (!type || (common && common != type)) return std::nullopt;
    common = type;
  }
  return common;
}

}  // namespace

std::optional<Type> static_type(const Node& node) {
  switch (node.op) {
    case Op::kTrait:
    case Op::kTag:
    case Op::kListValue:
    case Op::kProperty:
    case Op::kStep:
    case Op::kNotStep:
    case Op::kEvents:
    case Op::kSql:
      return std::nullopt;
    case Op::kFirst:
    case Op::kLast:
      if (is_event_text(node.text)) return Type::kText;
      return node.text.empty() ? std::optional(Type::kInstant) : std::nullopt;
    case Op::kCase:
      return case_type(node);
    case Op::kBand:
      return node.of.size() > 1 ? static_type(node.of[1]) : std::nullopt;
    case Op::kPlus:
    case Op::kMinus:
      return node.of.size() == 2 && node.of[1].op == Op::kSpan ? Type::kInstant : Type::kNumber;
    case Op::kNumber:
    case Op::kEventHour:
    case Op::kEventWeekday:
    case Op::kCount:
    case Op::kSum:
    case Op::kAverage:
    case Op::kMin:
    case Op::kMax:
    case Op::kDistinct:
    case Op::kShare:
    case Op::kActiveDays:
    case Op::kInterval:
    case Op::kDaysSince:
    case Op::kPercentile:
    case Op::kAge:
      return Type::kNumber;
    case Op::kText:
    case Op::kChannel:
    case Op::kSource:
    case Op::kTraitSource:
    case Op::kEventHoliday:
    case Op::kTop:
    case Op::kTopN:
    case Op::kStage:
    case Op::kRfm:
      return Type::kText;
    case Op::kDate:
    case Op::kTraitTime:
    case Op::kNow:
    case Op::kToday:
    case Op::kNth:
      return Type::kInstant;
    case Op::kSpan:
      return Type::kSpan;
    case Op::kList:
      return Type::kList;
    case Op::kBool:
    case Op::kSegment:
    case Op::kListed:
    case Op::kEventWorkday:
    case Op::kAnd:
    case Op::kOr:
    case Op::kNot:
    case Op::kEqual:
    case Op::kNotEqual:
    case Op::kLess:
    case Op::kAtMost:
    case Op::kGreater:
    case Op::kAtLeast:
    case Op::kBetween:
    case Op::kIn:
    case Op::kContains:
    case Op::kStartsWith:
    case Op::kEndsWith:
    case Op::kMatches:
    case Op::kIsKnown:
    case Op::kWithin:
    case Op::kBirthday:
    case Op::kDid:
    case Op::kSequence:
    case Op::kAgrees:
      return Type::kBool;
  }
  return std::nullopt;
}

bool may_be_list(const Node& node) {
  if (node.op == Op::kTag || node.op == Op::kTopN || has_several(node)) return true;
  return node.op == Op::kCase && std::ranges::any_of(node.of, may_be_list);
}

Type comparison_type(const Node& a, const Node& b) {
  if (const auto type = static_type(a)) return *type;
  return static_type(b).value_or(Type::kText);
}

}  // namespace kehu::rule
