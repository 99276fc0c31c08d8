#pragma once

#include <string>

#include "rule/value.h"

namespace kehu::rule {

// What somebody is by a rule, as JSON: true or false of a segment; of a tag its value or null.
std::string json_of(Kind kind, const Value& value, const BusinessZone& zone);

}  // namespace kehu::rule
