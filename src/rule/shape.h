#pragma once

#include <optional>

#include "rule/problem.h"
#include "rule/tree.h"

namespace kehu::rule {

// Whether a tree is deeper or larger than kRuleDepth and kRuleNodes.
std::optional<Problem> excess_of(const Node& root);

// Whether a tree is none that any text could give, whatever its types: a comparison of three values, a step
// outside of a sequence, a name that is empty. What has a shape can be formatted, typed and evaluated.
std::optional<Problem> misshape_of(const Node& root);

}  // namespace kehu::rule
