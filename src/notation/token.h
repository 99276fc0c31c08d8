#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/civil_day.h"
#include "base/money.h"
#include "rule/problem.h"

namespace kehu::notation {

using rule::Place;
using rule::Problem;

struct Comment {
  std::string text;     // without '#' and one blank behind it
  bool trails = false;  // stands behind something in its line
};

// A piece of a rule's text. Full width is half width here, and quotes and escapes are read.
struct Token {
  enum class Kind : uint8_t { kEnd, kWord, kName, kText, kNumber, kDate, kSign };
  Kind kind = Kind::kEnd;
  std::string text{};  // of kWord as written; kName: what stood in backticks; kText: what stood in quotes;
                       // of others as it was written
  Decimal number{};
  CivilDay day{};
  Place place{};
  size_t begin = 0;                 // bytes of the whole text
  std::vector<Comment> comments{};  // in front of it

  // Chinese keywords that stand side by side are a token each; the first knows the word, in case that it is a
  // name (分群 最近7天 = …), and how many there are.
  std::string whole{};
  size_t parts = 1;
};

// Text → tokens; the last is kEnd. A problem is what no token can be: an open quote, a sign that is none.
std::optional<Problem> read_tokens(std::string_view text, std::vector<Token>& tokens);

// Whether a name may stand without backticks wherever names do.
bool is_bare_name(std::string_view name);

}  // namespace kehu::notation
