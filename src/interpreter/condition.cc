#include "interpreter/condition.h"

#include <algorithm>
#include <compare>

#include "absl/functional/function_ref.h"
#include "text/pattern.h"

namespace kehu::interpreter {
namespace {

using rule::Node;
using rule::Op;
using rule::Type;
using rule::Value;

// How two values stand to each other as values of a type; nullopt when one of them has none of it.
std::optional<std::strong_ordering> ordering(const Value& a, const Value& b, Type type,
                                             const BusinessZone& zone) {
  const auto compare = [](const auto& left, const auto& right) -> std::optional<std::strong_ordering> {
    if (!left || !right) return std::nullopt;
    if (*left < *right) return std::strong_ordering::less;
    return *right < *left ? std::strong_ordering::greater : std::strong_ordering::equal;
  };
  switch (type) {
    case Type::kBool:
      return compare(rule::as_bool(a), rule::as_bool(b));
    case Type::kNumber:
      return compare(rule::as_number(a), rule::as_number(b));
    case Type::kText:
      return compare(rule::as_text(a, zone), rule::as_text(b, zone));
    case Type::kInstant:
      return compare(rule::as_instant(a, zone), rule::as_instant(b, zone));
    default:
      return std::nullopt;
  }
}

bool satisfies(Op op, std::strong_ordering order) {
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

bool text_satisfies(Op op, const std::string& text, const std::string& part) {
  switch (op) {
    case Op::kContains:
      return text.find(part) != std::string::npos;
    case Op::kStartsWith:
      return text.starts_with(part);
    case Op::kEndsWith:
      return text.ends_with(part);
    default: {
      const auto pattern = text::Pattern::compile(part);
      return pattern.ok() && pattern->found_in(text);
    }
  }
}

class Condition {
 public:
  Condition(const Node& node, const Asked& asked, const Event* event)
      : node_(node), asked_(asked), event_(event) {}

  bool compares() const { return any_pair(node_.of[0], node_.of[1], node_.op); }

  bool lies_between() const {
    const Node& value = node_.of[0];
    const Node& least = node_.of[1];
    const Node& greatest = node_.of[2];
    return any(value, [&](const Value& one) {
      return any_pair({one}, values(least), Op::kAtLeast, rule::comparison_type(value, least)) &&
             any_pair({one}, values(greatest), Op::kAtMost, rule::comparison_type(value, greatest));
    });
  }

  bool is_in_list() const {
    const std::vector<Node>& list = node_.of[1].of;
    return std::any_of(list.begin(), list.end(),
                       [&](const Node& item) { return any_pair(node_.of[0], item, Op::kEqual); });
  }

  bool compares_texts() const {
    return any(node_.of[0], [&](const Value& a) {
      return any(node_.of[1], [&](const Value& b) {
        const auto text = rule::as_text(a, zone()), part = rule::as_text(b, zone());
        return text && part && text_satisfies(node_.op, *text, *part);
      });
    });
  }

  bool is_known() const {
    return any(node_.of[0], [](const Value& value) { return value.known(); });
  }

  bool is_within() const {
    const rule::Extent window = rule::extent(node_.window, asked_.moment.now, zone());
    return any(node_.of[0], [&](const Value& value) {
      const auto time = rule::as_instant(value, zone());
      return time && window.contains(*time);
    });
  }

  bool has_birthday() const {
    return any(node_.of[0], [&](const Value& value) {
      const auto time = rule::as_instant(value, zone());
      return time && has_birthday(*time);
    });
  }

 private:
  const BusinessZone& zone() const { return asked_.moment.zone; }
  // A list stands for each of its texts.
  Values values(const Node& node) const {
    Values out;
    for (const Value& value : values_of(node, asked_, event_)) {
      for (Value& one : rule::elements(value)) out.push_back(std::move(one));
    }
    return out;
  }
  absl::CivilDay civil_day(Instant t) const { return interpreter::civil_day(t, zone()); }

  bool any(const Node& node, absl::FunctionRef<bool(const Value&)> test) const {
    for (const Value& value : values(node)) {
      if (test(value)) return true;
    }
    return false;
  }

  bool any_pair(const Node& a, const Node& b, Op op) const {
    return any_pair(values(a), values(b), op, rule::comparison_type(a, b));
  }

  bool any_pair(const Values& left, const Values& right, Op op, Type type) const {
    for (const Value& a : left) {
      for (const Value& b : right) {
        const auto order = ordering(a, b, type, zone());
        if (order && satisfies(op, *order)) return true;
      }
    }
    return false;
  }

  // There is one in every year, so the next is one of this year or of the next.
  bool has_birthday(Instant born) const {
    const Instant now = asked_.moment.now;
    const absl::CivilDay today = civil_day(now);
    const absl::CivilDay last = civil_day(rule::plus(now, node_.span, zone()));
    for (const absl::civil_year_t year : {today.year(), today.year() + 1}) {
      const absl::CivilDay day = birthday_in(year, civil_day(born));
      if (today <= day && day <= last) return true;
    }
    return false;
  }

  const Node& node_;
  const Asked& asked_;
  const Event* const event_;
};

}  // namespace

absl::CivilDay civil_day(Instant t, const BusinessZone& zone) {
  return absl::CivilDay(1970, 1, 1) + zone.day_of(t).value();
}

absl::CivilDay birthday_in(absl::civil_year_t year, absl::CivilDay born) {
  const absl::CivilDay day(year, born.month(), born.day());
  return day.month() == born.month() ? day : day - 1;
}

bool condition_holds(const Node& node, const Asked& asked, const Event* event) {
  const auto part_holds = [&](const Node& part) { return holds(part, asked, event); };
  const Condition condition(node, asked, event);
  switch (node.op) {
    case Op::kAnd:
      return std::all_of(node.of.begin(), node.of.end(), part_holds);
    case Op::kOr:
      return std::any_of(node.of.begin(), node.of.end(), part_holds);
    case Op::kNot:
      return !part_holds(node.of[0]);
    case Op::kBetween:
      return condition.lies_between();
    case Op::kIn:
      return condition.is_in_list();
    case Op::kContains:
    case Op::kStartsWith:
    case Op::kEndsWith:
    case Op::kMatches:
      return condition.compares_texts();
    case Op::kIsKnown:
      return condition.is_known();
    case Op::kWithin:
      return condition.is_within();
    case Op::kBirthday:
      return condition.has_birthday();
    default:
      return condition.compares();
  }
}

}  // namespace kehu::interpreter
