#pragma once

#include <cstdint>
#include <string>

#include "rule/tree.h"

// Tree → text that parses to the same tree, comments included. The tree has a shape (rule/shape.h).
namespace kehu::notation {

using rule::Definition;
using rule::Node;

enum class Language : uint8_t { kEnglish, kChinese };

// Ends with a line break: a file is its definitions one after the other.
std::string format(const Definition& definition, Language language);
// One line if it is short, and has no comments.
std::string format(const Node& expression, Language language);

}  // namespace kehu::notation
