#include "base/text.h"
#include "translation/functions.h"
#include "translation/translator.h"

// Of the events that take a step, the walk collects when each was, which steps it can take, and what it has
// in common with others; step_walk.h tells what stands one behind the other.
namespace kehu::translation {
namespace {

using rule::Node;
using rule::Op;

constexpr Duration kClockChanges = Duration::days(4);  // more than civil spans differ from what is added back

}  // namespace

std::string Translator::step_events(const Node& node, const rule::Extent& bounds) {
  std::string any, steps;
  for (size_t i = 0; i < node.of.size(); ++i) {
    const std::string flag = this->flag(node.of[i].of[0], bounds);
    any += cat(any.empty() ? "(" : " OR ", flag);
    steps += cat(steps.empty() ? "(" : " + ", "CAST(", flag, " AS BIGINT) * ", uint64_t{1} << i);
  }
  any += ")";
  steps += ")";
  if (node.op == Op::kStage || node.text.empty()) {
    return cat("flatten(", filtered(cat("list([t, ", steps, ", 0])"), any), ")");
  }
  Term texts;
  for (const Node& step : node.of) texts = terms_.as(chosen(node.text, step.of[0].text), Form::kText);
  if (!texts.several) {
    const std::string key = cat(kHashFunction, "(", texts.sql, ")");
    return cat(
        "flatten(",
        filtered(cat("list([t, ", steps, ", ", key, "])"), cat(any, " AND ", texts.sql, " IS NOT NULL")),
        ")");
  }
  const std::string each = cat("flatten(list_transform(list_distinct(", texts.sql, "), lambda k: [t, ", steps,
                               ", ", kHashFunction, "(k)]))");
  return cat("flatten(", filtered(cat("list(", each, ")"), any), ")");
}

// A sequence with a limit begins not long before its window.
Instant Translator::beginning(const Node& node, const rule::Extent& window) const {
  if (node.span.count == 0 || window.from <= kFirstInstant) return kFirstInstant;
  const Instant first = rule::plus(window.from, {-node.span.count, node.span.unit}, zone_) - kClockChanges;
  return std::max(first, kFirstInstant);
}

Term Translator::sequence(const Node& node) {
  const rule::Extent window = extent(node.window);
  const std::string events = step_events(node, {beginning(node, window), extent({}).to});
  std::string letters;
  for (const Node& step : node.of) letters.push_back(step.op == Op::kStep ? 'p' : 'n');
  return {Form::kTruth,
          cat("coalesce(", kSequenceFunction, "(", events, ", ", sql_literal(letters), ", ", node.span.count,
              ", ", static_cast<int>(node.span.unit), ", ", window.from.micros(), ", ", window.to.micros(),
              ", ", statement_.question.now.micros(), ", ", terms_.zone(), ") = 1, false)")};
}

Term Translator::stage(const Node& node) {
  const std::string events = step_events(node, extent(node.window));
  std::string names;
  for (const Node& step : node.of) names += cat(names.empty() ? "[" : ", ", sql_literal(step.of[0].text));
  return {Form::kText,
          cat("(", names, "])[nullif(", kStageFunction, "(", events, ", ", node.of.size(), "), 0)]")};
}

}  // namespace kehu::translation
