#include "notation/printer.h"

#include <array>
#include <utility>

#include "base/text.h"
#include "rule/nodes.h"
#include "rule/value.h"

namespace kehu::notation {
namespace {

using enum Printer::Level;

Printer::Level level_of(const Node& node) {
  switch (node.op) {
    case Op::kCase:
      return kExpression;
    case Op::kOr:
      return kDisjunction;
    case Op::kAnd:
      return kConjunction;
    case Op::kNot:
      return rule::is_negated_test(node) ? kTest : kNegation;
    case Op::kPlus:
    case Op::kMinus:
      return kSummed;
    default:
      return node.op > Op::kNot && node.op < Op::kPlus ? kTest : kSingle;
  }
}

std::string_view sign_of(Op op) {
  constexpr std::array<std::string_view, 6> kSigns = {"=", "!=", "<", "<=", ">", ">="};
  return kSigns[static_cast<size_t>(op) - static_cast<size_t>(Op::kEqual)];
}

}  // namespace

void Printer::space() {
  if (!out_.empty() && out_.back() != ' ' && out_.back() != '\n' && out_.back() != '(') out_.push_back(' ');
}

void Printer::word(std::string_view text) {
  space();
  append(text);
}

void Printer::new_line() {
  while (out_.ends_with(' ')) out_.pop_back();
  out_.push_back('\n');
  out_.append(indent_, ' ');
}

// A comment goes up to the end of its line, so it begins and ends one.
void Printer::comments(const std::vector<std::string>& comments) {
  for (const std::string& comment : comments) {
    const size_t line = out_.rfind('\n') + 1;
    if (out_.find_first_not_of(' ', line) != std::string::npos) new_line();
    append(comment.empty() ? "#" : cat("# ", comment));
    new_line();
  }
}

void Printer::print(const Node& node, Level level) {
  const bool parted = level_of(node) < level;
  if (parted) word("(");
  comments(node.comments);
  print_bare(node);
  if (parted) append(")");
}

void Printer::print_bare(const Node& node) {
  switch (node.op) {
    case Op::kNot:
      return negation(node);
    case Op::kAnd:
    case Op::kOr:
      return joined(node, false);
    case Op::kCase:
      return cases(node, false);
    case Op::kList:
      return list(node);
    case Op::kPlus:
      return operands(node, "+", kSummed, kSingle);
    case Op::kMinus:
      return operands(node, "-", kSummed, kSingle);
    default:
      if (node.op < Op::kAnd) return customer(node);
      return node.op < Op::kDid ? binary(node) : function(node);
  }
}

// What has no operands.
void Printer::customer(const Node& node) {
  switch (node.op) {
    case Op::kBool:
      return keyword(node.number == Decimal() ? Keyword::kFalse : Keyword::kTrue);
    case Op::kNumber:
      return word(node.number.to_string());
    case Op::kText:
      return quoted(node.text);
    case Op::kDate:
      return word(written_date(node.window.from));
    case Op::kSpan:
      return word(written_span(node.span, language_));
    case Op::kTrait:
      return word(cat(spelling(Keyword::kTrait, language_), ".", written_path(node.text)));
    case Op::kTraitTime:
    case Op::kTraitSource:
      return of_trait(node);
    case Op::kTag:
      return word(cat(spelling(Keyword::kTag, language_), ".", written_name(node.text)));
    case Op::kListValue:
      return word(cat(spelling(Keyword::kListed, language_), ".", written_name(node.text)));
    case Op::kSegment:
    case Op::kListed:
      word(cat(spelling(Keyword::kIn, language_), is_chinese() ? "" : " ", group_word(node.op)));
      return name(node.text);
    case Op::kProperty:
      return word(written_path(node.text));
    case Op::kNow:
      return keyword(Keyword::kNow);
    case Op::kToday:
      return keyword(Keyword::kToday);
    case Op::kChannel:
      return keyword(Keyword::kChannel);
    case Op::kSource:
      return keyword(Keyword::kSource);
    case Op::kEventHour:
      return keyword(Keyword::kHourOfDay);
    case Op::kEventHoliday:
      return keyword(Keyword::kHoliday);
    case Op::kEventWorkday:
      return keyword(Keyword::kWorkday);
    default:
      return keyword(Keyword::kWeekday);
  }
}

std::string_view Printer::group_word(Op op) const {
  return spelling(op == Op::kListed ? Keyword::kListed : Keyword::kSegment, language_);
}

void Printer::of_trait(const Node& node) {
  const std::string trait = cat(spelling(Keyword::kTrait, language_), ".", written_path(node.text));
  if (is_chinese()) word(trait);
  if (node.op == Op::kTraitTime) {
    keyword(Keyword::kTimeOf);
  } else if (is_chinese()) {
    keyword(Keyword::kOf);
    keyword(Keyword::kSource);
  } else {
    keyword(Keyword::kSource);
    keyword(Keyword::kOf);
  }
  if (!is_chinese()) word(trait);
}

// "x not in (…)", "x is unknown" and 不属于分群 read better than what they are made of.
void Printer::negation(const Node& node) {
  const Node& inner = node.of[0];
  const std::string_view no = is_chinese() ? row_of(Keyword::kNot).chinese[1] : "not ";
  const bool is_group = inner.op == Op::kSegment || inner.op == Op::kListed;
  if (is_group && inner.comments.empty() && is_chinese()) {
    word(cat(no, spelling(Keyword::kIn, language_), group_word(inner.op)));
    return name(inner.text);
  }
  if (!rule::is_negated_test(node)) {
    keyword(Keyword::kNot);
    return print(inner, kNegation);
  }
  comments(inner.comments);
  print(inner.of[0], kSummed);
  if (inner.op == Op::kIsKnown) return keyword(Keyword::kIsUnknown);
  word(cat(no, spelling(Keyword::kIn, language_)));
  print(inner.of[1], kExpression);
}

void Printer::joined(const Node& node, bool in_lines) {
  const bool is_and = node.op == Op::kAnd;
  for (size_t i = 0; i < node.of.size(); ++i) {
    if (i > 0 && in_lines) new_line();
    if (i > 0) keyword(is_and ? Keyword::kAnd : Keyword::kOr);
    print(node.of[i], is_and ? kNegation : kConjunction);
  }
}

void Printer::pair(const Node& node, size_t at) {
  keyword(Keyword::kWhen);
  print(node.of[at], kExpression);
  keyword(Keyword::kCaseThen);
  print(node.of[at + 1], kExpression);
}

void Printer::cases(const Node& node, bool in_lines) {
  keyword(Keyword::kCase);
  for (size_t at = 0; at + 1 < node.of.size(); at += 2) {
    if (in_lines) new_line();
    pair(node, at);
  }
  if (node.of.size() % 2 == 1) {
    if (in_lines) new_line();
    keyword(Keyword::kElse);
    print(node.of.back(), kExpression);
  }
  if (in_lines) new_line();
  keyword(Keyword::kEnd);
}

void Printer::broken(const Node& node) {
  comments(node.comments);
  if (node.op == Op::kCase) return cases(node, true);
  if (node.op == Op::kAnd || node.op == Op::kOr) return joined(node, true);
  print_bare(node);
}

void Printer::operands(const Node& node, std::string_view between, Level left, Level right) {
  print(node.of[0], left);
  word(between);
  print(node.of[1], right);
}

void Printer::binary(const Node& node) {
  if (node.op > Op::kAtLeast) return worded(node);
  const bool instants = rule::comparison_type(node.of[0], node.of[1]) == rule::Type::kInstant;
  std::string_view sign = sign_of(node.op);
  if (instants && node.op == Op::kLess) sign = spelling(Keyword::kBefore, language_);
  if (instants && node.op == Op::kGreater) sign = spelling(Keyword::kAfter, language_);
  operands(node, sign, kSummed, kSummed);
}

void Printer::worded(const Node& node) {
  constexpr std::pair<Op, Keyword> kWords[] = {{Op::kIn, Keyword::kIn},
                                               {Op::kContains, Keyword::kContains},
                                               {Op::kStartsWith, Keyword::kStartsWith},
                                               {Op::kEndsWith, Keyword::kEndsWith},
                                               {Op::kMatches, Keyword::kMatches}};
  for (const auto& [op, word] : kWords) {
    if (node.op == op) return operands(node, spelling(word, language_), kSummed, kSummed);
  }
  print(node.of[0], kSummed);
  if (node.op == Op::kIsKnown) return keyword(Keyword::kIsKnown);
  if (node.op == Op::kBetween) {
    keyword(Keyword::kBetween);
    print(node.of[1], kSummed);
    keyword(Keyword::kTo);
    return print(node.of[2], kSummed);
  }
  if (node.op == Op::kWithin) {
    keyword(Keyword::kWithin);
    window(node.window);
    if (is_chinese() && node.window.kind == Window::Kind::kLast)
      append(spelling(Keyword::kInside, language_));
    return;
  }
  keyword(Keyword::kBirthday);
  word(written_limit(node.span, language_));
}

void Printer::list(const Node& node) {
  word("(");
  for (size_t i = 0; i < node.of.size(); ++i) {
    if (i > 0) append(",");
    print(node.of[i], kSingle);
  }
  append(")");
}

}  // namespace kehu::notation
