#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "rule/tree.h"

namespace kehu::interpreter {

// A rule, what a customer did, and what is to come out. Times are those of the zone.
struct Question {
  std::string_view name;
  std::string_view rule = {};
  // "2026-03-10T09:00 A {…}", "… A@web", "… A#2" (a source), "… page:A". Names may have blanks.
  std::vector<std::string_view> events = {};
  std::string_view want = {};
  std::string_view now = "2026-03-10T12:00:00";
  std::string_view zone = "Asia/Shanghai";
  std::string_view traits = "{}";
  std::string_view tag = "[]";  // the list that the tag 偏好三类 is
};

// The answer as a text, or what is wrong with the rule.
std::string answer(const Question& question);
// To a rule that is parsed already.
std::string answer(const rule::Node& rule, const Question& question);

inline void expect_answers(absl::Span<const Question> questions) {
  for (const Question& question : questions) {
    EXPECT_EQ(answer(question), question.want) << question.name << "\n" << question.rule;
  }
}

}  // namespace kehu::interpreter
