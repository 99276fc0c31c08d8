#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "notation/keywords.h"
#include "notation/token.h"
#include "rule/bounds.h"
#include "rule/problem.h"
#include "rule/tree.h"

namespace kehu::notation {

using rule::Definition;
using rule::Node;
using rule::Op;
using rule::Span;
using rule::Unit;
using rule::Window;

// Descends through the grammar of docs/rules.md, a method for each of its lines. The first problem stops it:
// from then on methods return what they have, and nobody looks at it. One use, one thread.
class Parser {
 public:
  // The tokens outlive the parser.
  explicit Parser(const std::vector<Token>& tokens) : tokens_(tokens) { take_comments(); }

  std::vector<Definition> file();
  Node whole_expression();
  Node whole_body();  // an expression or a statement
  const std::optional<Problem>& problem() const { return problem_; }

 private:
  // Tokens.
  const Token& token(size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  size_t matches(std::string_view spelling, size_t ahead) const;
  // How many tokens the keyword takes here; 0: something else is here.
  size_t at(Keyword keyword, size_t ahead = 0) const;
  bool at_sign(std::string_view sign, size_t ahead = 0) const;
  bool at_call(Keyword keyword) const;
  void advance(size_t count = 1);
  void take_comments();
  bool accept(Keyword keyword);
  bool accept_sign(std::string_view sign);
  void expect(Keyword keyword);
  void expect_sign(std::string_view sign);

  // Problems.
  void fail(Place place, std::string message, std::string expected = "", std::string suggestion = "");
  void unexpected(std::string expected);
  void stray_word();
  void no_function(const std::string& name);
  bool too_deep(size_t more = 0);

  // Nodes.
  Node begin(Op op);
  Node around(Op op, Node first) const;

  // parse.cc
  Node whole(Node root);
  Definition definition();
  void bound(const Node& root);
  void leave_comments(Definition& definition);
  void clauses(Definition& definition);
  Node statement();
  Node agreement();
  std::string clause_text();
  std::string name();

  // parse_expression.cc
  Node expression();
  Node cases();
  Node joined(Keyword word, Op op, Node (Parser::*part)());
  Node disjunction();
  Node conjunction();
  Node negation();
  Node test();
  std::optional<Op> comparison();
  bool strange_test();
  Node worded_test(Node left);
  Node moment_test(Node left, Op op);
  Node negated(Node node) const;
  Node sum();

  // parse_value.cc
  Node value();
  std::optional<Node> literal();
  Node list();
  Node number();
  std::optional<Node> known_word();
  std::optional<Node> in_group();
  std::optional<Node> of_trait();
  Node trait();
  Node after_dot(Op op);
  Node property();
  std::string path();
  std::string later_path(std::string path);
  std::string component();
  std::optional<Unit> at_unit(size_t ahead = 0) const;
  Unit unit();
  Span span();
  int64_t whole_number();

  // parse_function.cc
  std::optional<Node> function();
  Node call(Keyword keyword, Op op);
  void arguments(Keyword keyword, Node& node);
  Node events();
  void bands(Node& node);
  void selection(Node& node, bool path_needed);
  std::string chosen_path();
  void sequence(Node& node);
  void steps(Node& node);
  Node step(Op op);
  void optional_window(Node& node);
  Window window();
  void no_window();
  void no_number();
  void bound(rule::Flaw flaw, Place place);
  CivilDay date();

  const std::vector<Token>& tokens_;
  size_t at_ = 0;
  std::vector<std::string> comments_;  // passed, and of no node yet
  size_t depth_ = 0;
  bool in_where_ = false;
  std::optional<Problem> problem_;

  friend class Level;
};

// One level of recursion.
class Level {
 public:
  explicit Level(Parser& parser) : parser_(parser) { ++parser_.depth_; }
  ~Level() { --parser_.depth_; }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;

 private:
  Parser& parser_;
};

}  // namespace kehu::notation
