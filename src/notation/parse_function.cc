#include <utility>

#include "base/text.h"
#include "notation/numerals.h"
#include "notation/parser.h"
#include "rule/nodes.h"

namespace kehu::notation {
namespace {

bool is_plural(std::string_view unit) { return unit.ends_with('s'); }

}  // namespace

std::optional<Node> Parser::function() {
  constexpr std::pair<Keyword, Op> kFunctions[] = {
      {Keyword::kDid, Op::kDid},
      {Keyword::kEver, Op::kDid},
      {Keyword::kCount, Op::kCount},
      {Keyword::kSum, Op::kSum},
      {Keyword::kAverage, Op::kAverage},
      {Keyword::kMin, Op::kMin},
      {Keyword::kMax, Op::kMax},
      {Keyword::kDistinct, Op::kDistinct},
      {Keyword::kTop, Op::kTop},
      {Keyword::kFirst, Op::kFirst},
      {Keyword::kLast, Op::kLast},
      {Keyword::kNth, Op::kNth},
      {Keyword::kShare, Op::kShare},
      {Keyword::kActiveDays, Op::kActiveDays},
      {Keyword::kInterval, Op::kInterval},
      {Keyword::kDaysSince, Op::kDaysSince},
      {Keyword::kSequence, Op::kSequence},
      {Keyword::kStage, Op::kStage},
      {Keyword::kAge, Op::kAge},
      {Keyword::kBand, Op::kBand},
      {Keyword::kPercentile, Op::kPercentile},
      {Keyword::kRfm, Op::kRfm},
  };
  for (const auto& [keyword, op] : kFunctions) {
    if (at_call(keyword)) return call(keyword, op);
  }
  for (const auto& [keyword, op] :
       {std::pair(Keyword::kFirst, Op::kFirst), std::pair(Keyword::kLast, Op::kLast)}) {
    const size_t count = at(keyword);
    if (count == 0 || token(count).kind != Token::Kind::kText) continue;
    Node node = begin(op);
    advance(count);
    Node of = begin(Op::kEvents);
    of.text = token().text;
    advance();
    node.of.push_back(std::move(of));
    return node;
  }
  return std::nullopt;
}

Node Parser::call(Keyword keyword, Op op) {
  Node node = begin(op);
  accept(keyword);
  expect_sign("(");
  arguments(keyword, node);
  expect_sign(")");
  return node;
}

void Parser::arguments(Keyword keyword, Node& node) {
  if (node.op == Op::kSequence) return sequence(node);
  if (node.op == Op::kStage) {
    steps(node);
    return optional_window(node);
  }
  if (node.op == Op::kBand) return bands(node);
  if (node.op == Op::kDaysSince || node.op == Op::kAge || node.op == Op::kPercentile) {
    node.of.push_back(expression());
    return;
  }
  if (node.op == Op::kTop && token().kind == Token::Kind::kNumber) node.op = Op::kTopN;
  if (node.op == Op::kNth || node.op == Op::kTopN) {
    node.number = Decimal::from_units(whole_number() * Decimal::kScale);
    expect_sign(",");
  }
  if (may_have_path(node.op)) {
    selection(node, needs_path(node.op));
  } else {
    node.of.push_back(events());
  }
  if (keyword == Keyword::kEver && at_sign(",")) {
    return fail(token().place, "ever looks at all events", "did(…) with a window", "did");
  }
  optional_window(node);
}

// A value, then `"low" below 1000`, …, `else "high"`.
void Parser::bands(Node& node) {
  const auto add = [&](std::string expected) {
    if (auto band = literal()) {
      node.of.push_back(*std::move(band));
    } else {
      unexpected(std::move(expected));
    }
  };
  node.of.push_back(expression());
  expect_sign(",");
  do {
    if (node.of.size() > 1 && accept(Keyword::kElse)) return add("a text or a number: the band of the rest");
    add("a band: \"low\" below 1000, or else \"high\"");
    expect(Keyword::kBelow);
    add("a number");
  } while (accept_sign(","));
}

// `revenue of "Order Completed"`, and the other way round in Chinese: "Order Completed" 的 revenue.
void Parser::selection(Node& node, bool path_needed) {
  if (token().kind == Token::Kind::kText || at(Keyword::kAnyEvent)) {
    node.of.push_back(events());
    const bool english = token().text == spelling(Keyword::kOf, Language::kEnglish);
    if (!english && accept(Keyword::kOf)) {
      node.text = chosen_path();
    } else if (path_needed || at(Keyword::kOf)) {
      unexpected("the property in front of the event: revenue of \"Order Completed\"");
    }
    return;
  }
  node.text = chosen_path();
  expect(Keyword::kOf);
  node.of.push_back(events());
}

// A property, or what every event has.
std::string Parser::chosen_path() {
  if (accept(Keyword::kChannel)) return std::string(rule::kChannelPath);
  if (accept(Keyword::kSource)) return std::string(rule::kSourcePath);
  return path();
}

Node Parser::events() {
  Node node = begin(Op::kEvents);
  if (token().kind == Token::Kind::kText && !token().text.empty()) {
    node.text = token().text;
    advance();
  } else if (!accept(Keyword::kAnyEvent)) {
    const bool is_word = token().kind == Token::Kind::kWord && !is_keyword(token().text);
    fail(token().place, "the name of an event is missing",
         "the name of an event in double quotes, or any event", is_word ? cat("\"", token().text, "\"") : "");
  }
  if (!accept(Keyword::kWhere)) return node;
  const bool was_in_where = std::exchange(in_where_, true);
  node.of.push_back(disjunction());
  in_where_ = was_in_where;
  return node;
}

void Parser::sequence(Node& node) {
  steps(node);
  if (accept(Keyword::kBy)) node.text = chosen_path();
  if (accept(Keyword::kWithin)) {
    const Place place = token().place;
    node.span = span();
    bound(rule::flaw_of_limit(node.span), place);
  }
  optional_window(node);
}

void Parser::steps(Node& node) {
  do {
    const bool negative = node.op == Op::kSequence && at(Keyword::kNot) > 0;
    node.of.push_back(step(negative ? Op::kNotStep : Op::kStep));
  } while (accept(Keyword::kThen));
}

// Comments in front of a step are those of its events, with whose name it begins.
Node Parser::step(Op op) {
  if (op == Op::kStep) return around(op, events());
  Node node = begin(op);
  accept(Keyword::kNot);
  node.of.push_back(events());
  return node;
}

void Parser::optional_window(Node& node) {
  if (accept_sign(",")) node.window = window();
}

// What is wrong with a window is said where its length stands, which a tree does not know.
Window Parser::window() {
  Window window;
  Place place = token().place;
  if (const size_t words = at(Keyword::kLastWindow)) {
    advance(words);
    if (at_unit() && !is_plural(token().text)) {
      no_number();
      return window;
    }
    place = token().place;
    window = {.kind = Window::Kind::kLast, .span = span()};
  } else if (accept(Keyword::kToday)) {
    window.kind = Window::Kind::kToday;
  } else if (accept(Keyword::kYesterday)) {
    window.kind = Window::Kind::kYesterday;
  } else if (accept(Keyword::kThisYear)) {
    window = {.kind = Window::Kind::kThis, .span = {0, Unit::kYear}};
  } else if (accept(Keyword::kPreviousYear)) {
    window = {.kind = Window::Kind::kPrevious, .span = {0, Unit::kYear}};
  } else if (accept(Keyword::kThis)) {
    place = token().place;
    window = {.kind = Window::Kind::kThis, .span = {0, unit()}};
  } else if (accept(Keyword::kPrevious)) {
    place = token().place;
    window = {.kind = Window::Kind::kPrevious, .span = {0, unit()}};
  } else if (accept(Keyword::kSince)) {
    window = {.kind = Window::Kind::kSince, .from = date()};
  } else if (accept(Keyword::kBetween)) {
    place = token().place;
    window = {.kind = Window::Kind::kBetween, .from = date()};
    if (!accept(Keyword::kTo)) expect(Keyword::kAnd);
    window.to = date();
  } else if (!accept(Keyword::kEver)) {
    no_window();
  }
  accept(Keyword::kInside);
  bound(rule::flaw_of(window), place);
  return window;
}

void Parser::no_window() {
  constexpr std::string_view kWindows =
      "a window: last 30 days, today, yesterday, this month, previous month, since 2026-01-31, "
      "between 2026-01-01 and 2026-01-31";
  std::string meant;
  if (token().kind == Token::Kind::kWord) meant = with_digits(token().text);
  if (token().kind == Token::Kind::kNumber && at_unit(1)) {
    const std::string& unit = token(1).text;
    const bool english = unit[0] >= 'a' && unit[0] <= 'z';
    meant = english ? cat("last ", token().text, " ", unit) : cat("最近", token().text, unit);
  }
  if (meant.empty()) return unexpected(std::string(kWindows));
  fail(token().place, cat(token().text, " does not belong here"), std::string(kWindows), std::move(meant));
}

// "last month": the calendar month before this one, or the days up to today?
void Parser::no_number() {
  const std::string unit = token().text;
  const bool english = unit[0] >= 'a' && unit[0] <= 'z';
  const bool is_day = at_unit() == Unit::kDay;
  const Keyword word = is_day ? Keyword::kYesterday : Keyword::kPrevious;
  std::string meant(spelling(word, english ? Language::kEnglish : Language::kChinese));
  if (!is_day) meant += cat(english ? " " : "", unit);
  fail(token().place, cat(unit, " has no number in front of it"),
       "a number of days up to now, as in last 30 days, or previous month, which is one of the calendar",
       std::move(meant));
}

void Parser::bound(rule::Flaw flaw, Place place) {
  if (!problem_ && !flaw.message.empty()) fail(place, std::move(flaw.message), std::move(flaw.expected));
}

CivilDay Parser::date() {
  const CivilDay day = token().day;
  if (token().kind != Token::Kind::kDate) unexpected("a date such as 2026-01-31");
  advance();
  return day;
}

}  // namespace kehu::notation
