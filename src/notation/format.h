#pragma once

#include <string>

#include "rule/tree.h"

namespace kehu::notation {

using rule::Definition;
using rule::Node;

enum class Language : uint8_t { kEnglish, kChinese };

// The tree as text that parses to the same tree, comments included.
std::string format(const Definition& definition, Language language);
std::string format(const Node& expression, Language language);

}  // namespace kehu::notation
