#include "notation/parser.h"

#include <utility>

#include "base/text.h"
#include "text/near_word.h"

namespace kehu::notation {
namespace {

std::string described(const Token& token) {
  switch (token.kind) {
    case Token::Kind::kEnd:
      return "the text ends too early";
    case Token::Kind::kText:
      return cat("the text \"", cut_utf8(token.text, 40), "\" does not belong here");
    case Token::Kind::kName:
      return cat("the name `", cut_utf8(token.text, 40), "` does not belong here");
    default:
      return cat(token.text, " does not belong here");
  }
}

// Words that are a value by themselves.
const std::vector<std::string>& value_words() {
  static const std::vector<std::string> words = {"true",   "false", "now",     "today",   "channel",
                                                 "source", "hour",  "weekday", "holiday", "workday"};
  return words;
}

}  // namespace

size_t Parser::matches(std::string_view spelling, size_t ahead) const {
  size_t count = 0;
  while (!spelling.empty()) {
    const size_t size = std::min(spelling.find(' '), spelling.size());
    const Token& here = token(ahead + count);
    if (here.kind != Token::Kind::kWord || here.text != spelling.substr(0, size)) return 0;
    ++count;
    spelling.remove_prefix(std::min(size + 1, spelling.size()));
  }
  return count;
}

size_t Parser::at(Keyword keyword, size_t ahead) const {
  const KeywordRow& row = row_of(keyword);
  for (std::string_view word : row.english) {
    if (const size_t count = matches(word, ahead); count > 0) return count;
  }
  for (std::string_view word : row.chinese) {
    if (const size_t count = matches(word, ahead); count > 0) return count;
  }
  return 0;
}

bool Parser::at_sign(std::string_view sign, size_t ahead) const {
  return token(ahead).kind == Token::Kind::kSign && token(ahead).text == sign;
}

bool Parser::at_call(Keyword keyword) const {
  const size_t count = at(keyword);
  return count > 0 && at_sign("(", count);
}

void Parser::take_comments() {
  for (const Comment& comment : token().comments) comments_.push_back(comment.text);
}

void Parser::advance(size_t count) {
  for (; count > 0 && at_ + 1 < tokens_.size(); --count) {
    ++at_;
    take_comments();
  }
}

bool Parser::accept(Keyword keyword) {
  const size_t count = at(keyword);
  advance(count);
  return count > 0;
}

bool Parser::accept_sign(std::string_view sign) {
  const bool here = at_sign(sign);
  if (here) advance();
  return here;
}

void Parser::expect(Keyword keyword) {
  if (!accept(keyword)) unexpected(std::string(spelling(keyword, Language::kEnglish)));
}

void Parser::expect_sign(std::string_view sign) {
  if (!accept_sign(sign)) unexpected(std::string(sign));
}

// At the end nothing matches any more, so that every loop and every method returns.
void Parser::fail(Place place, std::string message, std::string expected, std::string suggestion) {
  if (!problem_) problem_ = {place, std::move(message), std::move(expected), std::move(suggestion)};
  at_ = tokens_.size() - 1;
}

void Parser::unexpected(std::string expected) {
  std::string suggestion;
  if (token().kind == Token::Kind::kWord && !is_keyword(token().text)) {
    suggestion = text::near_word(token().text, keyword_words());
  }
  fail(token().place, described(token()), std::move(expected), std::move(suggestion));
}

// What other languages call a function, or the nearest one.
void Parser::no_function(const std::string& name) {
  constexpr std::pair<std::string_view, std::string_view> kStrangers[] = {{"average", "avg"},
                                                                          {"mean", "avg"},
                                                                          {"total", "sum"},
                                                                          {"number", "count"},
                                                                          {"unique", "distinct"},
                                                                          {"nunique", "distinct"},
                                                                          {"count_distinct", "distinct"},
                                                                          {"mode", "top"},
                                                                          {"exists", "did"},
                                                                          {"has", "did"},
                                                                          {"done", "did"},
                                                                          {"most_frequent", "top"},
                                                                          {"求和", "总和"},
                                                                          {"合计", "总和"},
                                                                          {"计数", "次数"},
                                                                          {"数量", "次数"},
                                                                          {"均值", "平均"},
                                                                          {"平均数", "平均"},
                                                                          {"去重", "去重数"},
                                                                          {"完成", "做过"}};
  const auto known =
      std::ranges::find(kStrangers, std::string_view(name), [](const auto& each) { return each.first; });
  std::string expected = "a function such as count(…)";
  std::string meant(known != std::end(kStrangers) ? known->second : text::near_word(name, keyword_words()));
  if (name == "all" || name == "any" || name == "none") {
    expected =
        "a condition: products[].price > 10 holds if it does for one of them, and not products[].price <= 10 "
        "if for all";
    meant = name == "any" ? "" : "not";
  }
  fail(token().place, cat("there is no function ", name), std::move(expected), std::move(meant));
}

void Parser::stray_word() {
  const std::string& word = token().text;
  if (at_sign("(", 1)) return no_function(word);
  if (is_keyword(word) || token().parts > 1) {
    const std::string& whole = token().parts > 1 ? token().whole : word;
    return fail(token().place, cat(word, " does not belong here"),
                in_where_ ? "a value; a property of this name stands in backticks" : "a value",
                in_where_ ? cat("`", whole, "`") : "");
  }
  const auto near = text::near_word(word, value_words());
  fail(token().place, cat(word, " is the name of a property, and those stand inside of where"),
       cat("trait.", word, ", tag.", word, ", a function such as count(…), or a text in double quotes"),
       near.empty() ? cat("trait.", word) : std::string(near));
}

// A node takes two levels at most: its own and that of its parentheses. What the tree may be is excess_of's.
bool Parser::too_deep(size_t more) {
  const bool deep = depth_ + more > 2 * rule::kRuleDepth;
  if (deep) {
    fail(token().place, cat("more than ", rule::kRuleDepth, " expressions stand inside of each other"),
         "a part of it as a segment of its own");
  }
  return deep;
}

Node Parser::begin(Op op) {
  Node node{.op = op, .place = token().place};
  node.comments = std::exchange(comments_, {});
  return node;
}

Node Parser::around(Op op, Node first) const {
  Node node{.op = op, .place = first.place};
  node.of.push_back(std::move(first));
  return node;
}

}  // namespace kehu::notation
