#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "rule/problem.h"
#include "rule/tree.h"

// Text → tree, by the grammar of docs/rules.md, in English, Chinese or both.
namespace kehu::notation {

using rule::Definition;
using rule::Node;
using rule::Problem;

// The definitions of a *.kehu file, in their order; nullopt when all of it was read.
std::optional<Problem> parse_file(std::string_view text, std::vector<Definition>& definitions);

// One expression, as the API takes it ("count(…) >= 3").
std::optional<Problem> parse_expression(std::string_view text, Node& expression);

}  // namespace kehu::notation
