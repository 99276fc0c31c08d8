#include "rule/compare.h"

#include <compare>
#include <optional>

#include "calendar/holidays.h"

namespace kehu::rule {
namespace {

bool holds(Op op, std::strong_ordering order) {
  switch (op) {
    case Op::kEqual:
      return order == 0;
    case Op::kNotEqual:
      return order != 0;
    case Op::kLess:
      return order < 0;
    case Op::kAtMost:
      return order <= 0;
    case Op::kGreater:
      return order > 0;
    default:
      return order >= 0;
  }
}

template <class T>
bool holds(Op op, const std::optional<T>& a, const std::optional<T>& b) {
  if (!a || !b) return false;
  return holds(op, *a < *b ? std::strong_ordering::less
                           : (*b < *a ? std::strong_ordering::greater : std::strong_ordering::equal));
}

// Texts are UTF-8, whose bytes are in the order of code points.
bool holds_of_texts(Op op, const Value& a, const Value& b, const BusinessZone& zone) {
  if (a.kind == Value::Kind::kText && b.kind == Value::Kind::kText) {
    return holds(op, a.text.compare(b.text) <=> 0);
  }
  return holds(op, as_text(a, zone), as_text(b, zone));
}

}  // namespace

Value literal(const Node& node, const BusinessZone& zone) {
  switch (node.op) {
    case Op::kBool:
      return Value::of(node.number.units() != 0);
    case Op::kNumber:
      return Value::of(Sum{node.number.units()});
    case Op::kText:
      return Value::of(std::string_view(node.text));
    case Op::kDate:
      return Value::of(zone.start_of(node.window.from));
    default:
      return {};
  }
}

bool holds(Op op, const Value& a, const Value& b, Type type, const BusinessZone& zone) {
  switch (type) {
    case Type::kNumber:
      return holds(op, as_number(a), as_number(b));
    case Type::kInstant:
      return holds(op, as_instant(a, zone), as_instant(b, zone));
    case Type::kBool:
      return holds(op, as_bool(a), as_bool(b));
    default:
      return holds_of_texts(op, a, b, zone);
  }
}

Value holiday(Instant t, const BusinessZone& zone) {
  const std::string_view name = calendar::holiday_of(zone.day_of(t));
  return name.empty() ? Value() : Value::of(name);
}

bool is_workday(Instant t, const BusinessZone& zone) { return calendar::is_workday(zone.day_of(t)); }

Value sum(Op op, const Value& a, const Value& b) {
  const auto x = as_number(a), y = as_number(b);
  if (!x || !y) return {};
  return Value::of(op == Op::kPlus ? *x + *y : *x - *y);
}

Value shifted(Op op, const Value& a, Span span, const BusinessZone& zone) {
  const auto from = as_instant(a, zone);
  if (!from) return {};
  if (op == Op::kMinus) span.count = -span.count;
  return Value::of(plus(*from, span, zone));
}

Op mirrored(Op op) {
  switch (op) {
    case Op::kLess:
      return Op::kGreater;
    case Op::kAtMost:
      return Op::kAtLeast;
    case Op::kGreater:
      return Op::kLess;
    case Op::kAtLeast:
      return Op::kAtMost;
    default:
      return op;
  }
}

}  // namespace kehu::rule
