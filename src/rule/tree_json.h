#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "rule/tree.h"

// The same tree as JSON, for programs and visual builders (docs/rules.md). Nothing is lost either way.
namespace kehu::rule {

std::string to_json(const Definition& definition);
std::string to_json(const Node& expression);
// What was stored once is read for ever: a number is rounded to four places, and half of a surrogate pair is
// no character. Of what somebody sends now both are refused.
enum class Origin : uint8_t { kStored, kSent };
// InvalidArgument says which member is wrong.
absl::StatusOr<Definition> definition_from_json(std::string_view json, Origin origin = Origin::kStored);
absl::StatusOr<Node> node_from_json(std::string_view json, Origin origin = Origin::kStored);

}  // namespace kehu::rule
