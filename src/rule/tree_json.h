#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "rule/tree.h"

// The same tree as JSON, for programs and visual builders (docs/rules.md). Nothing is lost either way.
namespace kehu::rule {

std::string to_json(const Definition& definition);
std::string to_json(const Node& expression);
// InvalidArgument says which member is wrong.
absl::StatusOr<Definition> definition_from_json(std::string_view json);
absl::StatusOr<Node> node_from_json(std::string_view json);

}  // namespace kehu::rule
