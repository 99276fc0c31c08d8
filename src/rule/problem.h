#pragma once

#include <string>

#include "rule/tree.h"

namespace kehu::rule {

// Why a rule is none, for whoever wrote it.
struct Problem {
  Place place;
  std::string message;     // "there is no event \"Order Complete\""
  std::string expected;    // what could stand there: "a number or a value"; may be empty
  std::string suggestion;  // what was probably meant: "Order Completed"; may be empty
};

// "message; expected …; did you mean …?", without the place.
std::string to_text(const Problem& problem);

}  // namespace kehu::rule
