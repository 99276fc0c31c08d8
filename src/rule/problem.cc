#include "rule/problem.h"

#include "base/text.h"

namespace kehu::rule {

std::string to_text(const Problem& problem) {
  std::string text = problem.message;
  if (!problem.expected.empty()) text += cat("; expected ", problem.expected);
  if (!problem.suggestion.empty()) text += cat("; did you mean ", problem.suggestion, "?");
  return text;
}

}  // namespace kehu::rule
