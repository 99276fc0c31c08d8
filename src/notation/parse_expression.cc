#include <utility>

#include "base/text.h"
#include "notation/parser.h"
#include "rule/nodes.h"
#include "rule/value.h"

// Recursive descent, a method for each level of the grammar (docs/rules.md), from what binds least: or, and,
// not, one test, sum, value. So precedence is who calls whom. A table of precedences would be shorter if all
// operators stood between two operands; here a test may be several words with operands of different kinds
// ("is not in (…)", "between … and …"), in one of two languages, and ends where the level below ends.
//
// Each method that calls itself, directly or around a circle, counts its depth (Level), so that a text of a
// million parentheses is a problem with a place and not the end of the stack.
namespace kehu::notation {

Node Parser::expression() {
  if (too_deep()) return {};
  const Level level(*this);
  return at(Keyword::kCase) ? cases() : disjunction();
}

Node Parser::cases() {
  Node node = begin(Op::kCase);
  accept(Keyword::kCase);
  if (!at(Keyword::kWhen)) unexpected("when CONDITION then VALUE");
  while (accept(Keyword::kWhen)) {
    node.of.push_back(expression());
    expect(Keyword::kCaseThen);
    node.of.push_back(expression());
  }
  if (accept(Keyword::kElse)) node.of.push_back(expression());
  expect(Keyword::kEnd);
  return node;
}

Node Parser::joined(Keyword word, Op op, Node (Parser::*part)()) {
  Node first = (this->*part)();
  if (!at(word)) return first;
  Node node = around(op, std::move(first));
  while (accept(word)) node.of.push_back((this->*part)());
  return node;
}

Node Parser::disjunction() { return joined(Keyword::kOr, Op::kOr, &Parser::conjunction); }
Node Parser::conjunction() { return joined(Keyword::kAnd, Op::kAnd, &Parser::negation); }

Node Parser::negation() {
  if (!at(Keyword::kNot)) return test();
  if (too_deep()) return {};
  const Level level(*this);
  Node node = begin(Op::kNot);
  accept(Keyword::kNot);
  node.of.push_back(negation());
  // Written as one test, it begins with the value.
  if (rule::is_negated_test(node)) {
    std::vector<std::string>& comments = rule::leading(node).comments;
    comments.insert(comments.begin(), node.comments.begin(), node.comments.end());
    node.comments.clear();
  }
  return node;
}

Node Parser::test() {
  Node left = sum();
  const auto op = comparison();
  if (!op) return worded_test(std::move(left));
  Node node = around(*op, std::move(left));
  node.of.push_back(sum());
  return node;
}

std::optional<Op> Parser::comparison() {
  constexpr std::pair<Keyword, Op> kSigns[] = {
      {Keyword::kEqualSign, Op::kEqual},     {Keyword::kNotEqualSign, Op::kNotEqual},
      {Keyword::kLessSign, Op::kLess},       {Keyword::kAtMostSign, Op::kAtMost},
      {Keyword::kGreaterSign, Op::kGreater}, {Keyword::kAtLeastSign, Op::kAtLeast}};
  for (const auto& [sign, op] : kSigns) {
    if (accept_sign(row_of(sign).english[0]) || accept(sign)) return op;
  }
  return std::nullopt;
}

// What people write for a test who know another language: said with what it is called here.
bool Parser::strange_test() {
  struct Stranger {
    std::string_view words;
    std::string_view means;
  };
  constexpr std::string_view kNotBefore = "not";
  // The longer first.
  constexpr Stranger kStrangers[] = {{"is not null", "is known"},
                                     {"is not empty", "is known"},
                                     {"is not unknown", "is known"},
                                     {"is not missing", "is known"},
                                     {"is not known", "is unknown"},
                                     {"is not in", "not in"},
                                     {"is not", "!="},
                                     {"is null", "is unknown"},
                                     {"is empty", "is unknown"},
                                     {"is missing", "is unknown"},
                                     {"is in", "in"},
                                     {"is between", "between"},
                                     {"is before", "before"},
                                     {"is after", "after"},
                                     {"is", "="},
                                     {"exists", "is known"},
                                     {"not contains", kNotBefore},
                                     {"does not contain", kNotBefore},
                                     {"not starts with", kNotBefore},
                                     {"not ends with", kNotBefore},
                                     {"not matches", kNotBefore},
                                     {"not between", kNotBefore},
                                     {"not within", kNotBefore},
                                     {"not like", kNotBefore},
                                     {"equals", "="},
                                     {"equal to", "="},
                                     {"like", "contains"},
                                     {"includes", "contains"},
                                     {"contain", "contains"},
                                     {"greater than", ">"},
                                     {"more than", ">"},
                                     {"less than", "<"},
                                     {"at least", ">="},
                                     {"at most", "<="},
                                     {"是", "="},
                                     {"不是", "!="},
                                     {"是空", "为空"},
                                     {"非空", "不为空"},
                                     {"不 为空", "不为空"},
                                     {"不 包含", "非"},
                                     {"不 开头是", "非"},
                                     {"不 结尾是", "非"},
                                     {"不 匹配", "非"},
                                     {"不 介于", "非"},
                                     {"高于", ">"},
                                     {"超过", ">"},
                                     {"多于", ">"},
                                     {"少于", "<"},
                                     {"不 低于", ">="},
                                     {"低于", "<"},
                                     {"不少于", ">="},
                                     {"不高于", "<="},
                                     {"不多于", "<="}};
  for (const auto& [words, means] : kStrangers) {
    if (matches(words, 0) == 0) continue;
    const bool is_negation = means == kNotBefore || means == "非";
    fail(token().place, cat(words, " is no test of a rule"),
         is_negation ? "not in front of the value: not trait.city contains \"x\"" : "", std::string(means));
    return true;
  }
  return false;
}

Node Parser::negated(Node node) const { return around(Op::kNot, std::move(node)); }

Node Parser::worded_test(Node left) {
  constexpr std::pair<Keyword, Op> kTextTests[] = {{Keyword::kContains, Op::kContains},
                                                   {Keyword::kStartsWith, Op::kStartsWith},
                                                   {Keyword::kEndsWith, Op::kEndsWith},
                                                   {Keyword::kMatches, Op::kMatches}};
  for (const auto& [keyword, op] : kTextTests) {
    if (!accept(keyword)) continue;
    Node node = around(op, std::move(left));
    node.of.push_back(sum());
    return node;
  }
  if (accept(Keyword::kBetween)) {
    Node node = around(Op::kBetween, std::move(left));
    node.of.push_back(sum());
    if (!accept(Keyword::kTo)) expect(Keyword::kAnd);
    node.of.push_back(sum());
    return node;
  }
  const size_t no = at(Keyword::kNot);
  if (at(Keyword::kIn, no)) {
    advance(no);
    accept(Keyword::kIn);
    Node node = around(Op::kIn, std::move(left));
    node.of.push_back(list());
    return no > 0 ? negated(std::move(node)) : node;
  }
  if (accept(Keyword::kIsKnown)) return around(Op::kIsKnown, std::move(left));
  if (accept(Keyword::kIsUnknown)) return negated(around(Op::kIsKnown, std::move(left)));
  if (accept(Keyword::kBefore)) return moment_test(std::move(left), Op::kLess);
  if (accept(Keyword::kAfter)) return moment_test(std::move(left), Op::kGreater);
  if (accept(Keyword::kBirthday)) {
    Node node = around(Op::kBirthday, std::move(left));
    node.span = span();
    return node;
  }
  // "within 10 minutes" behind a condition is that of the sequence around it.
  if (strange_test()) return left;
  const bool is_of_sequence = in_where_ && token(1).kind == Token::Kind::kNumber;
  if (is_of_sequence || !accept(Keyword::kWithin)) return left;
  Node node = around(Op::kWithin, std::move(left));
  node.window = window();
  return node;
}

// What is compared as an instant must be known to be one, else `before` would compare texts.
Node Parser::moment_test(Node left, Op op) {
  const Place place = left.place;
  Node node = around(op, std::move(left));
  node.of.push_back(sum());
  if (!problem_ && comparison_type(node.of[0], node.of[1]) != rule::Type::kInstant) {
    fail(place, "before and after compare instants, and neither side is known to be one",
         "now, today, a date such as 2026-01-31, or first(…) or last(…) on one side");
  }
  return node;
}

Node Parser::sum() {
  Node left = value();
  for (size_t count = 1; at_sign("+") || at_sign("-"); ++count) {
    if (too_deep(count)) break;
    Node node = around(at_sign("+") ? Op::kPlus : Op::kMinus, std::move(left));
    advance();
    node.of.push_back(value());
    left = std::move(node);
  }
  return left;
}

}  // namespace kehu::notation
