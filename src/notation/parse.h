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

// The same, or the statement of a tag: all that may stand behind the = of a definition that is no check.
std::optional<Problem> parse_body(std::string_view text, Node& body);

}  // namespace kehu::notation
