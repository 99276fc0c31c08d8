#include "definition/rules.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/text.h"
#include "definition/list.h"
#include "definition/project.h"
#include "model/settings.h"
#include "rule/check.h"
#include "rule/tree_json.h"
#include "text/near_word.h"

namespace kehu::definition {
namespace {

absl::StatusOr<Value> parse(std::string_view body, rule::Kind kind) {
  auto definition = rule::definition_from_json(body);
  if (!definition.ok()) return definition.status();
  if (definition->kind != kind) {
    return failure(absl::StatusCode::kInvalidArgument, "this is the rule of a ",
                   rule::to_string(definition->kind), ", not of a ", rule::to_string(kind));
  }
  return Value(std::make_shared<const rule::Definition>(*std::move(definition)));
}

std::string title(const rule::Definition& definition) {
  return cat(rule::to_string(definition.kind), " ", definition.name);
}

absl::Status in_place(const rule::Definition& definition, const rule::Problem& problem) {
  return failure(absl::StatusCode::kInvalidArgument, title(definition), ", line ", problem.place.line,
                 ", column ", problem.place.column, ": ", rule::to_text(problem));
}

using Key = std::pair<rule::Kind, std::string>;
using Rules = std::map<Key, const rule::Definition*>;

std::vector<Key> named_by(const rule::Definition& definition) {
  return rule::references(definition.body).all();
}

absl::Status missing(const Rules& rules, const Key& key) {
  std::string users;
  std::vector<std::string> names;
  for (const auto& [other, definition] : rules) {
    if (other.first == key.first) names.push_back(other.second);
    const std::vector<Key> named = named_by(*definition);
    if (std::ranges::find(named, key) != named.end())
      users += cat(users.empty() ? "" : ", ", title(*definition));
  }
  return failure(absl::StatusCode::kFailedPrecondition, "there is no ", rule::to_string(key.first), " ",
                 key.second, ", which is used by ", users, text::did_you_mean(key.second, names));
}

// A walk in depth, as a list of who is on the way down. A circle is told as it is read.
class Circle {
 public:
  explicit Circle(const Rules& rules) : rules_(rules) {}

  absl::Status check() {
    for (const auto& [key, definition] : rules_) {
      if (auto status = visit(key); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

 private:
  struct Visit {
    Key key;
    std::vector<Key> left;
  };

  absl::Status visit(const Key& start) {
    std::vector<Visit> path;
    if (done_[start]) return absl::OkStatus();
    path.push_back({start, named_by(*rules_.at(start))});
    while (!path.empty()) {
      if (path.back().left.empty()) {
        done_[path.back().key] = true;
        path.pop_back();
        continue;
      }
      const Key next = path.back().left.back();
      path.back().left.pop_back();
      const auto found = rules_.find(next);
      if (found == rules_.end()) return missing(rules_, next);
      if (done_[next]) continue;
      const auto met = std::ranges::find(path, next, &Visit::key);
      if (met != path.end()) return circle({met, path.end()});
      path.push_back({next, named_by(*found->second)});
    }
    return absl::OkStatus();
  }
  absl::Status circle(const std::vector<Visit>& path) const {
    std::string names;
    for (const Visit& visit : path) names += cat(visit.key.second, " uses ");
    return failure(absl::StatusCode::kFailedPrecondition,
                   "rules that use each other in a circle have no meaning: ", names, path.front().key.second);
  }

  const Rules& rules_;
  std::map<Key, bool> done_;
};

}  // namespace

absl::StatusOr<Value> parse_segment(std::string_view body) { return parse(body, rule::Kind::kSegment); }
absl::StatusOr<Value> parse_tag(std::string_view body) { return parse(body, rule::Kind::kTag); }
absl::StatusOr<Value> parse_check(std::string_view body) { return parse(body, rule::Kind::kCheck); }

absl::Status admit_rule(Candidate& candidate, const Project&) {
  const auto& definition = *static_cast<const rule::Definition*>(candidate.value.get());
  if (definition.name != candidate.name) {
    return failure(absl::StatusCode::kInvalidArgument, "the rule of ", candidate.name, " names it ",
                   definition.name);
  }
  if (const auto problem = rule::check(definition, {})) return in_place(definition, *problem);
  candidate.body = rule::to_json(definition);
  return absl::OkStatus();
}

namespace {

// Each list that a rule names is there.
absl::Status check_lists(const Project& project, const std::vector<NamedRule>& all) {
  std::map<std::string, std::string> users;  // of lists that are not there
  for (const NamedRule& rule : all) {
    for (const std::string& list : rule::references(rule.definition->body).lists) {
      if (has_list(project, list)) continue;
      std::string& mine = users[list];
      mine += cat(mine.empty() ? "" : ", ", title(*rule.definition));
    }
  }
  if (users.empty()) return absl::OkStatus();
  const auto& [list, names] = *users.begin();
  std::vector<std::string> known;
  for (const NamedList& each : lists_of(project)) known.push_back(each.name);
  return failure(absl::StatusCode::kFailedPrecondition, "there is no list ", list, ", which is used by ",
                 names, text::did_you_mean(list, known));
}

}  // namespace

absl::Status check_rules(const Project& project) {
  Rules rules;
  std::vector<NamedRule> all = rules_of(project);
  for (NamedRule& check : checks_of(project)) all.push_back(std::move(check));
  for (const NamedRule& rule : all)
    rules[{rule.definition->kind, rule.definition->name}] = rule.definition.get();
  if (auto status = check_lists(project, all); !status.ok()) return status;
  return Circle(rules).check();
}

namespace {

// nullopt: none of the changes is of the settings, or they cannot be read; then the record is refused.
std::optional<std::string> new_time_zone(absl::Span<const Definition> changes) {
  const auto settings = std::ranges::find(changes, kSettings, &Definition::kind);
  if (settings == changes.end()) return std::nullopt;
  const auto value = find_kind(kSettings)->parse(settings->body);
  if (!value.ok()) return std::nullopt;
  return std::static_pointer_cast<const Settings>(*value)->time_zone;
}

}  // namespace

std::vector<Definition> counted_anew(absl::Span<const Definition> changes, const Project& project) {
  std::vector<Definition> anew;
  const auto zone = new_time_zone(changes);
  if (!zone || *zone == project.settings()->time_zone) return anew;
  for (const std::string_view kind : {kSegment, kTag}) {
    project.each(kind, [&](const std::string& name, const Version& version) {
      const auto same = [&](const Definition& change) { return change.kind == kind && change.name == name; };
      const auto& rule = *static_cast<const rule::Definition*>(version.value.get());
      if (!rule.time_zone.empty() || std::ranges::any_of(changes, same)) return;
      anew.push_back({.kind = kind,
                      .name = name,
                      .body = version.body,
                      .actor = changes.front().actor,
                      .base = version.sequence});
    });
  }
  return anew;
}

RuleChanges::RuleChanges(const std::vector<rule::Definition>& rules, std::string_view actor, Sequence base) {
  for (const rule::Definition& rule : rules) bodies_.push_back(rule::to_json(rule));
  for (size_t i = 0; i < rules.size(); ++i) {
    changes_.push_back({.kind = rule::to_string(rules[i].kind),
                        .name = rules[i].name,
                        .body = bodies_[i],
                        .actor = actor,
                        .base = base});
  }
}

namespace {

std::vector<NamedRule> of_kinds(const Project& project, absl::Span<const std::string_view> kinds) {
  std::vector<NamedRule> rules;
  for (const std::string_view kind : kinds) {
    project.each(kind, [&](const std::string&, const Version& version) {
      rules.push_back({version.sequence, std::static_pointer_cast<const rule::Definition>(version.value)});
    });
  }
  return rules;
}

}  // namespace

std::vector<NamedRule> rules_of(const Project& project) { return of_kinds(project, {kSegment, kTag}); }
std::vector<NamedRule> checks_of(const Project& project) { return of_kinds(project, {kCheck}); }

}  // namespace kehu::definition
