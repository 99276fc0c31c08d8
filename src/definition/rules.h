#pragma once

#include <cstdint>
#include <memory>
#include <optional>
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

// Why rules are refused.
struct Objection {
  struct Part {
    rule::Kind kind;
    std::string name;
    std::string pointer;  // JSON Pointer into its definition as JSON (rule/tree_json.h); empty: all of it
  };
  std::vector<Part> parts;  // of a circle, one for each of its rules
  std::string message;
};
// Of a rule by itself.
std::optional<Objection> objection_to(const rule::Definition& definition);
// What a rule that is not among the others may be.
enum class Unlisted : uint8_t { kMissing, kElsewhere };
// Of rules together, each of another kind or name: one names what is not there, or they name each other in a
// circle.
std::optional<Objection> objection_to(const std::vector<const rule::Definition*>& rules, Unlisted unlisted);
// The node that a pointer of an objection leads to; where it leads to none, the definition itself.
rule::Place place_of(const rule::Definition& definition, std::string_view pointer);
// FailedPrecondition, with their names, while other rules of a project name this one.
absl::Status check_unused(const Project& project, rule::Kind kind, std::string_view name);

struct NamedRule {
  Sequence version;
  std::shared_ptr<const rule::Definition> definition;
};
// Segments and tags in force, by kind and name.
std::vector<NamedRule> rules_of(const Project& project);
// Facts of others that are compared with own ones, by name.
std::vector<NamedRule> checks_of(const Project& project);
std::vector<NamedRule> rules_and_checks_of(const Project& project);

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
