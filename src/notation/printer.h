#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "notation/keywords.h"
#include "notation/written.h"
#include "rule/tree.h"

namespace kehu::notation {

using rule::Node;
using rule::Op;
using rule::Span;
using rule::Unit;
using rule::Window;

// Writes nodes as words with single blanks between them. One use, one thread.
class Printer {
 public:
  // How close a node binds: the lines of the grammar.
  enum class Level : uint8_t { kExpression, kDisjunction, kConjunction, kNegation, kTest, kSummed, kSingle };

  explicit Printer(Language language) : language_(language) {}

  // In lines of their own: operands of `and` and `or`, and the pairs of `case`; all else in one.
  void broken(const Node& node);
  void whole(const Node& node) { print(node, Level::kExpression); }

  void word(std::string_view text);
  void keyword(Keyword keyword) { word(spelling(keyword, language_)); }
  void name(std::string_view name) { word(written_name(name)); }
  void quoted(std::string_view text) { word(written_text(text)); }
  void comments(const std::vector<std::string>& comments);
  void new_line();
  void indent(size_t by) { indent_ += by; }

  std::string take() { return std::move(out_); }

 private:
  bool is_chinese() const { return language_ == Language::kChinese; }

  void append(std::string_view text) { out_.append(text); }
  void space();

  // In parentheses where a place asks for what binds closer.
  void print(const Node& node, Level level);
  void print_bare(const Node& node);
  void customer(const Node& node);
  void of_trait(const Node& node);
  std::string_view group_word(Op op) const;
  void negation(const Node& node);
  void cases(const Node& node, bool in_lines);
  void pair(const Node& node, size_t at);
  void joined(const Node& node, bool in_lines);
  void binary(const Node& node);
  void worded(const Node& node);
  void operands(const Node& node, std::string_view between, Level left, Level right);
  void list(const Node& node);
  void function(const Node& node);
  void statement(const Node& node);
  void agreement(const Node& node);
  void selection(const Node& node);
  void path(const std::string& path);
  void events(const Node& node);
  void bands(const Node& node);
  void steps(const Node& node);
  void window(const Window& window);

  Language language_;
  std::string out_;
  size_t indent_ = 0;
};

}  // namespace kehu::notation
