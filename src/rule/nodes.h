#pragma once

#include <algorithm>
#include <string_view>
#include <utility>

#include "rule/tree.h"

// What several of this room ask about nodes.
namespace kehu::rule {

// `x not in (…)` and `x is unknown`, which are read aloud as one test.
inline bool is_negated_test(const Node& node) {
  return node.op == Op::kNot && node.of.size() == 1 &&
         (node.of[0].op == Op::kIn || node.of[0].op == Op::kIsKnown);
}

// Whether the text of a node begins with that of its first child.
inline bool begins_with_child(const Node& node) {
  if (node.of.empty()) return false;
  return (node.op >= Op::kAnd && node.op <= Op::kMinus && node.op != Op::kNot) || node.op == Op::kStep ||
         is_negated_test(node);
}

// The node that the first word of the text belongs to; comments in front of it are its.
inline Node& leading(Node& node) {
  Node* first = &node;
  while (begins_with_child(*first)) first = &first->of[0];
  return *first;
}

// now, or a span before or behind it: what is another instant each time that it is looked at.
inline bool moves_with_now(const Node& node) {
  if (node.op == Op::kNow) return true;
  const bool is_sum = node.op == Op::kPlus || node.op == Op::kMinus;
  return is_sum && node.of.size() == 2 && node.of[1].op == Op::kSpan && moves_with_now(node.of[0]);
}

// What asks the traits of a customer.
inline bool asks_trait(Op op) { return op == Op::kTrait || op == Op::kTraitTime || op == Op::kTraitSource; }
// What asks an uploaded list, whose members are found by a trait.
inline bool asks_list(Op op) { return op == Op::kListed || op == Op::kListValue; }

// Of a path into the traits: the trait that it begins with.
inline std::string_view trait_of(std::string_view path) { return path.substr(0, path.find_first_of(".[")); }
// A path into the traits that takes a list apart: a condition's operand, and no value by itself.
inline bool has_several(Op op, std::string_view path) {
  return op == Op::kTrait && path.find("[]") != path.npos;
}
inline bool has_several(const Node& node) { return has_several(node.op, node.text); }

// What stands where a path does, and means the channel or the source of the event. No property has such a
// path.
inline constexpr std::string_view kChannelPath = ".channel";
inline constexpr std::string_view kSourcePath = ".source";
inline bool is_event_text(std::string_view path) { return path == kChannelPath || path == kSourcePath; }

// Of functions over events: whether `text` is a path that they need, or may have.
inline bool needs_path(Op op) { return (op >= Op::kSum && op <= Op::kTopN) || op == Op::kRfm; }
inline bool may_have_path(Op op) { return needs_path(op) || op == Op::kFirst || op == Op::kLast; }

// Whether `text` is a path of a trait or a property.
inline bool is_path(const Node& node) {
  const bool may =
      asks_trait(node.op) || node.op == Op::kProperty || may_have_path(node.op) || node.op == Op::kSequence;
  const bool is_of_event = is_event_text(node.text) && !asks_trait(node.op) && node.op != Op::kProperty;
  return may && !node.text.empty() && !is_of_event;
}

// What no text, name or comment of a rule has: a NUL ends the statement that the rule becomes, and the others
// command the terminal that shows it. Tabs and line breaks are none of these.
inline bool is_forbidden(char32_t c) {
  return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
}
inline bool has_forbidden(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return is_forbidden(static_cast<unsigned char>(c)); });
}

// The same without what people wrote in front of its parts.
inline Node without_comments(Node node) {
  node.comments.clear();
  for (Node& child : node.of) child = without_comments(std::move(child));
  return node;
}

}  // namespace kehu::rule
