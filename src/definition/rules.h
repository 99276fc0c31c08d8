#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "definition/kind.h"
#include "model/record.h"
#include "rule/tree.h"

// Segments and tags as definitions: their bodies are trees of rules as JSON (rule/tree_json.h).
namespace kehu::definition {

absl::StatusOr<Value> parse_segment(std::string_view body);
absl::StatusOr<Value> parse_tag(std::string_view body);
absl::StatusOr<Value> parse_check(std::string_view body);
// The rule means something by itself, and has the name of its definition.
absl::Status admit_rule(Candidate& candidate, const Project& project);
// All rules of a project together: those that others name are there, and none names itself in a circle.
absl::Status check_rules(const Project& project);

struct NamedRule {
  Sequence version;
  std::shared_ptr<const rule::Definition> definition;
};
// Segments and tags in force, by kind and name.
std::vector<NamedRule> rules_of(const Project& project);
// Facts of others that are compared with own ones, by name.
std::vector<NamedRule> checks_of(const Project& project);

// What a record has to change besides, when one of its changes gives the project another time zone: each rule
// that counts in the project's becomes a new version of itself, which is filled in like any other. Refers to
// the project.
std::vector<Definition> counted_anew(absl::Span<const Definition> changes, const Project& project);

// Rules as the changes of one record: each is new, or takes the place of a version up to `base`. Refers to
// what it was made of.
class RuleChanges {
 public:
  RuleChanges(const std::vector<rule::Definition>& rules, std::string_view actor, Sequence base);
  RuleChanges(const RuleChanges&) = delete;

  const std::vector<Definition>& changes() const { return changes_; }

 private:
  std::vector<std::string> bodies_;
  std::vector<Definition> changes_;
};

}  // namespace kehu::definition
