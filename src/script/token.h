#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rule/problem.h"

// The pieces of a script's text.
namespace kehu::script {

using rule::Place;
using rule::Problem;

struct Token {
  enum class Kind : uint8_t { kEnd, kWord, kText, kName, kSign };
  Kind kind = Kind::kEnd;
  // A word is letters and digits of any script and -_.+@/ among them, and a colon between two digits: u1,
  // 09:00, 2026-03-01, -12.5. Texts (in double quotes) and names (in backticks) without their quotes;
  // full-width signs as their plain ones.
  std::string text{};
  Place place{};
};

// A statement begins at the beginning of a line; lines that are indented, or begin with a bracket that
// closes, carry it on.
struct Lines {
  std::string_view text;
  Place place;       // of its first line
  size_t begin = 0;  // bytes of the whole text
};
std::vector<Lines> split_statements(std::string_view text);

// The tokens of one statement; the last is kEnd.
std::optional<Problem> read_tokens(const Lines& lines, std::vector<Token>& tokens);

}  // namespace kehu::script
