#pragma once

#include <string>

#include "base/money.h"
#include "rule/window.h"

// What lengths of time and numbers a rule may name.
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

}  // namespace kehu::rule
