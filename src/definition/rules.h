#pragma once

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "definition/kind.h"
#include "rule/tree.h"

// Segments and tags as definitions: their bodies are trees of rules as JSON (rule/tree_json.h).
namespace kehu::definition {

absl::StatusOr<Value> parse_segment(std::string_view body);
absl::StatusOr<Value> parse_tag(std::string_view body);
// The rule means something by itself, and has the name of its definition.
absl::Status admit_rule(Candidate& candidate, const Project& project);
// All rules of a project together: those that others name are there, and none names itself in a circle.
absl::Status check_rules(const Project& project);

struct NamedRule {
  Sequence version;
  std::shared_ptr<const rule::Definition> definition;
};
// Those in force, by kind and name.
std::vector<NamedRule> rules_of(const Project& project);

}  // namespace kehu::definition
