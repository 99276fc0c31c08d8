#pragma once

#include "interpreter/asked.h"

// distinct and top, which are exact up to kSampledTexts different texts of a customer, and beyond look at a
// sample: the texts with the smallest hashes of all that the events ever had, whatever the window.
namespace kehu::interpreter {

inline constexpr size_t kSampledTexts = 256;

Sum distinct(const rule::Node& function, const Asked& asked);
rule::Value top(const rule::Node& function, const Asked& asked);

}  // namespace kehu::interpreter
