#pragma once

#include <optional>
#include <string>

#include "base/money.h"
#include "rule/problem.h"
#include "rule/tree.h"
#include "rule/window.h"

// What lengths of time and numbers a rule may name, and which bounds nothing ever reaches.
namespace kehu::rule {

// Empty: there is none.
struct Flaw {
  std::string message;
  std::string expected;
};

Flaw flaw_of(const Window& window);
Flaw flaw_of_limit(Span span);  // of a sequence
Flaw flaw_of_shift(Span span);  // of an instant
Flaw flaw_of_birthday(Span span);
Flaw flaw_of_nth(Decimal number);
Flaw flaw_of_top(Decimal number);
Flaw flaw_of_share(Decimal share);  // of a check
Flaw flaw_of_schedule(Span span);   // of a statement

// Why one test of a tree that has a shape holds for nobody, whatever comes; nullopt: it may hold, as far as
// its literals say. Looked at are `hour`, `weekday` and `percentile`, which have bounds, what is counted,
// which is never below 0, `holiday`, which has a list of names, and bounds of `between` the wrong way round.
std::optional<Problem> never_holds(const Node& node);

}  // namespace kehu::rule
