#include <utility>

#include "base/text.h"
#include "notation/numerals.h"
#include "notation/parser.h"

namespace kehu::notation {

Node Parser::value() {
  if (auto node = literal()) return *std::move(node);
  if (accept_sign("(")) {
    Node node = expression();
    expect_sign(")");
    return node;
  }
  if (token().kind == Token::Kind::kWord) {
    if (auto node = known_word()) return *std::move(node);
    if (auto node = function()) return *std::move(node);
  }
  return property();
}

std::optional<Node> Parser::literal() {
  if (token().kind == Token::Kind::kNumber || at_sign("-")) return number();
  Node node{.place = token().place};
  if (token().kind == Token::Kind::kText) {
    node.op = Op::kText;
    node.text = token().text;
  } else if (token().kind == Token::Kind::kDate) {
    node.op = Op::kDate;
    node.window.from = token().day;
  } else if (at(Keyword::kTrue) || at(Keyword::kFalse)) {
    node.number = Decimal::from_units(at(Keyword::kTrue) ? Decimal::kScale : 0);
  } else {
    return std::nullopt;
  }
  node.comments = std::exchange(comments_, {});
  advance();
  return node;
}

Node Parser::number() {
  Node node = begin(Op::kNumber);
  const bool negative = accept_sign("-");
  if (token().kind != Token::Kind::kNumber) {
    unexpected("a number");
    return node;
  }
  if (!negative && at_unit(1)) {
    node.op = Op::kSpan;
    node.span = span();
    return node;
  }
  node.number = Decimal::from_units(negative ? -token().number.units() : token().number.units());
  advance();
  return node;
}

Node Parser::list() {
  Node node = begin(Op::kList);
  if (at(Keyword::kSegment) || at(Keyword::kListed)) {
    const std::string_view group = at(Keyword::kSegment) ? "in segment" : "in list";
    fail(token().place, cat(group, " stands by itself"), cat(group, " NAME, without a value in front of it"));
    return node;
  }
  const bool is_window =
      at(Keyword::kLastWindow) || (token().kind == Token::Kind::kWord && token().text == "the");
  if (is_window) {
    fail(token().place, cat(token().text, " does not belong here"),
         "a list: (\"a\", \"b\"); a moment lies within last 30 days", "within");
    return node;
  }
  expect_sign("(");
  do {
    auto item = literal();
    if (!item) {
      unexpected("a text, number or date");
      return node;
    }
    node.of.push_back(*std::move(item));
  } while (accept_sign(","));
  expect_sign(")");
  return node;
}

// `time of trait.city` and `source of trait.city`; behind the trait in Chinese: 特征.city 的时间, 的来源.
std::optional<Node> Parser::of_trait() {
  const bool is_time = at(Keyword::kTimeOf) > 0;
  const size_t words = is_time ? at(Keyword::kTimeOf) : at(Keyword::kSource) * 2;
  if (words == 0 || !at(Keyword::kTrait, words) || (!is_time && !at(Keyword::kOf, 1))) return std::nullopt;
  Node node = begin(is_time ? Op::kTraitTime : Op::kTraitSource);
  advance(words);
  node.text = after_dot(Op::kTrait).text;
  return node;
}

Node Parser::trait() {
  Node node = after_dot(Op::kTrait);
  if (token().kind != Token::Kind::kWord ||
      !token().text.starts_with(spelling(Keyword::kOf, Language::kChinese)))
    return node;
  if (accept(Keyword::kTimeOf)) {
    node.op = Op::kTraitTime;
  } else if (at(Keyword::kSource, 1)) {
    advance(2);
    node.op = Op::kTraitSource;
  }
  return node;
}

std::optional<Node> Parser::known_word() {
  if (auto node = of_trait()) return node;
  constexpr std::pair<Keyword, Op> kWords[] = {{Keyword::kNow, Op::kNow},
                                               {Keyword::kToday, Op::kToday},
                                               {Keyword::kChannel, Op::kChannel},
                                               {Keyword::kSource, Op::kSource},
                                               {Keyword::kHourOfDay, Op::kEventHour},
                                               {Keyword::kWeekday, Op::kEventWeekday},
                                               {Keyword::kHoliday, Op::kEventHoliday},
                                               {Keyword::kWorkday, Op::kEventWorkday}};
  for (const auto& [keyword, op] : kWords) {
    if (!at(keyword)) continue;
    Node node = begin(op);
    accept(keyword);
    return node;
  }
  if (at(Keyword::kTrait)) return trait();
  if (at(Keyword::kTag)) return after_dot(Op::kTag);
  if (at(Keyword::kListed) && at_sign(".", 1)) return after_dot(Op::kListValue);
  return in_group();
}

// `in segment NAME`, `in list NAME`; 在名单 as well as 属于名单.
std::optional<Node> Parser::in_group() {
  const size_t in = at(Keyword::kIn);
  const size_t on = in > 0 ? in : at(Keyword::kWithin);
  const bool listed = on > 0 && at(Keyword::kListed, on) > 0;
  if (!listed && at(Keyword::kSegment, in) == 0) return std::nullopt;
  Node node = begin(listed ? Op::kListed : Op::kSegment);
  advance(listed ? on : in);
  accept(listed ? Keyword::kListed : Keyword::kSegment);
  node.text = name();
  return node;
}

Node Parser::after_dot(Op op) {
  Node node = begin(op);
  const std::string word = token().text;
  advance();
  if (!accept_sign(".")) {
    unexpected(cat(word, ".NAME"));
  } else {
    node.text = op == Op::kTrait ? later_path(component()) : name();
  }
  return node;
}

Node Parser::property() {
  const Token& here = token();
  const bool is_name = here.kind == Token::Kind::kName;
  if (!is_name && here.kind != Token::Kind::kWord) {
    unexpected("a value: a text, a number, trait.NAME, a function such as count(…)");
    return {};
  }
  if (!in_where_ || (!is_name && (is_keyword(here.text) || here.parts > 1 || at_sign("(", 1)))) {
    stray_word();
    return {};
  }
  Node node = begin(Op::kProperty);
  node.text = path();
  return node;
}

// One that begins with a keyword would be read as something else elsewhere.
std::string Parser::path() {
  const Token& here = token();
  if (here.kind == Token::Kind::kWord && (is_keyword(here.text) || here.parts > 1)) {
    const std::string& word = here.parts > 1 ? here.whole : here.text;
    fail(here.place, cat(word, " is a keyword"), "a property; one of this name stands in backticks",
         cat("`", word, "`"));
    return {};
  }
  return later_path(component());
}

std::string Parser::later_path(std::string path) {
  for (;;) {
    if (accept_sign("[]")) {
      path.append("[]");
    } else if (accept_sign(".")) {
      path.append(".").append(component());
    } else {
      return path;
    }
  }
}

std::string Parser::component() { return name(); }

std::optional<Unit> Parser::at_unit(size_t ahead) const {
  for (int i = 0; i <= static_cast<int>(Unit::kYear); ++i) {
    if (at(keyword_of(static_cast<Unit>(i)), ahead)) return static_cast<Unit>(i);
  }
  return std::nullopt;
}

Unit Parser::unit() {
  const auto unit = at_unit();
  if (!unit) unexpected("a unit: seconds, minutes, hours, days, weeks, months, quarters or years");
  if (unit) advance();
  return unit.value_or(Unit::kDay);
}

Span Parser::span() {
  const int64_t count = whole_number();
  const Span span{count, unit()};
  accept(Keyword::kInside);
  return span;
}

int64_t Parser::whole_number() {
  const Token& here = token();
  const bool whole = here.kind == Token::Kind::kNumber && here.number.units() % Decimal::kScale == 0;
  if (!whole) {
    const std::string meant = here.kind == Token::Kind::kWord ? with_digits(here.text) : "";
    if (meant.empty()) {
      unexpected("a whole number");
    } else {
      fail(here.place, cat(here.text, " does not belong here"), "a number in digits",
           meant.substr(spelling(Keyword::kLastWindow, Language::kChinese).size()));
    }
    return 0;
  }
  advance();
  return here.number.units() / Decimal::kScale;
}

}  // namespace kehu::notation
