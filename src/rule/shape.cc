#include "rule/shape.h"

#include <algorithm>
#include <limits>
#include <string>

#include "base/text.h"
#include "json/fields.h"
#include "rule/nodes.h"

namespace kehu::rule {
namespace {

constexpr size_t kAny = std::numeric_limits<size_t>::max();

struct Arity {
  size_t least, most;
};

Arity arity_of(Op op) {
  switch (op) {
    case Op::kList:
    case Op::kSequence:
    case Op::kStage:
      return {1, kAny};
    case Op::kAnd:
    case Op::kOr:
    case Op::kCase:
      return {2, kAny};
    case Op::kBand:
      return {3, kAny};
    case Op::kBetween:
      return {3, 3};
    case Op::kEvents:
      return {0, 1};
    case Op::kSql:
      return {0, 0};
    case Op::kAgrees:
      return {2, 2};
    case Op::kNot:
    case Op::kIsKnown:
    case Op::kWithin:
    case Op::kBirthday:
    case Op::kStep:
    case Op::kNotStep:
      return {1, 1};
    default:
      if (op < Op::kAnd) return {0, 0};
      return op >= Op::kDid ? Arity{1, 1} : Arity{2, 2};
  }
}

bool is_literal(Op op) { return op <= Op::kDate; }

// What may stand below a node at a place.
bool fits(const Node& parent, size_t place, Op op) {
  switch (parent.op) {
    case Op::kList:
      return is_literal(op);
    case Op::kIn:
      if (place == 1) return op == Op::kList;
      break;
    case Op::kAgrees:
      if (place == 0) return op == Op::kTrait || op == Op::kListValue;
      break;
    case Op::kSequence:
      return op == Op::kStep || op == Op::kNotStep;
    case Op::kStage:
      return op == Op::kStep;
    case Op::kStep:
    case Op::kNotStep:
      return op == Op::kEvents;
    case Op::kBand:
      if (place > 0) return is_literal(op);
      break;
    case Op::kDaysSince:
    case Op::kPercentile:
    case Op::kAge:
    case Op::kEvents:
    case Op::kCase:
      break;
    default:
      if (parent.op >= Op::kDid) return op == Op::kEvents;
  }
  return op != Op::kList && op != Op::kStep && op != Op::kNotStep && op != Op::kEvents && op != Op::kSql &&
         op != Op::kAgrees;
}

bool needs_name(Op op) {
  return asks_trait(op) || asks_list(op) || op == Op::kTag || op == Op::kSegment || op == Op::kProperty ||
         op == Op::kSql || op == Op::kAgrees || needs_path(op);
}
// A list is uploaded by one source, so a check of it names none.
bool lacks_name(const Node& node) {
  const bool of_list = node.op == Op::kAgrees && node.of[0].op == Op::kListValue;
  return !of_list && needs_name(node.op) && node.text.empty();
}
bool has_stray_source(const Node& node) {
  return node.op == Op::kAgrees && node.of[0].op == Op::kListValue && !node.text.empty();
}
// What a node says besides its operands, where nobody would read it.
std::string_view stray_member(const Node& node) {
  const bool text = node.op == Op::kText || needs_name(node.op) || may_have_path(node.op) ||
                    node.op == Op::kSequence || node.op == Op::kEvents;
  const bool number = node.op == Op::kBool || node.op == Op::kNumber || node.op == Op::kNth ||
                      node.op == Op::kTopN || node.op == Op::kAgrees;
  const bool span =
      node.op == Op::kSpan || node.op == Op::kBirthday || node.op == Op::kSequence || node.op == Op::kSql;
  const bool window = node.op == Op::kWithin || node.op == Op::kRfm || is_aggregate(node.op);
  if (!text && !node.text.empty()) return "text";
  if (!number && node.number != Decimal()) return "number";
  if (!span && node.span != Span()) return "span";
  if (!window && node.op != Op::kDate && node.window != Window()) return "window";
  return "";
}

bool is_one_line(const std::string& text) {
  return text.find('\n') == std::string::npos && !text.ends_with('\r');
}

// A sentence, or nothing.
std::string flaw_of(const Node& node) {
  const auto [least, most] = arity_of(node.op);
  if (node.of.size() < least || node.of.size() > most) {
    return cat(to_string(node.op), " has ", node.of.size(), " operands");
  }
  for (size_t i = 0; i < node.of.size(); ++i) {
    if (!fits(node, i, node.of[i].op))
      return cat(to_string(node.of[i].op), " stands below ", to_string(node.op));
  }
  if (const auto stray = stray_member(node); !stray.empty()) return cat(to_string(node.op), " has a ", stray);
  if (lacks_name(node)) return cat(to_string(node.op), " has no name");
  if (has_stray_source(node)) return "the check of a list names a source";
  if (is_path(node) && !json::FieldPath::parse(node.text).ok())
    return cat("\"", node.text, "\" is no path of a property");
  if (!std::ranges::all_of(node.comments, is_one_line)) return "a comment has more than one line";
  return "";
}

struct Size {
  size_t nodes = 0;
  bool deep = false;
};
// Before anything else looks at a tree: it goes no deeper than is allowed, so that every recursion behind it
// has a known depth.
void measure(const Node& node, size_t depth, Size& size) {
  ++size.nodes;
  size.deep = size.deep || depth > kRuleDepth;
  if (size.deep) return;
  for (const Node& child : node.of) measure(child, depth + 1, size);
}

std::optional<Problem> flaw_below(const Node& node) {
  if (std::string flaw = flaw_of(node); !flaw.empty()) return Problem{node.place, std::move(flaw), "", ""};
  for (const Node& child : node.of) {
    if (auto problem = flaw_below(child)) return problem;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Problem> excess_of(const Node& root) {
  Size size;
  measure(root, 1, size);
  const std::string_view advice = "parts of it as segments of their own";
  if (size.deep) {
    return Problem{root.place, cat("more than ", kRuleDepth, " expressions stand inside of each other"),
                   std::string(advice), ""};
  }
  if (size.nodes > kRuleNodes) {
    return Problem{root.place, cat("the rule has more than ", kRuleNodes, " parts"), std::string(advice), ""};
  }
  return std::nullopt;
}

std::optional<Problem> misshape_of(const Node& root) {
  if (auto problem = excess_of(root)) return problem;
  const bool is_whole = root.op == Op::kSql || root.op == Op::kAgrees;
  if (!is_whole && !fits({.op = Op::kNot}, 0, root.op))
    return Problem{root.place, cat(to_string(root.op), " is no rule by itself"), "", ""};
  return flaw_below(root);
}

}  // namespace kehu::rule
