#include "definition/rules.h"

#include <algorithm>
#include <charconv>
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

using Key = std::pair<rule::Kind, std::string>;
using Rules = std::map<Key, const rule::Definition*>;

std::vector<Key> named_by(const rule::Definition& definition) {
  return rule::references(definition.body).all();
}

bool names(const rule::Definition& definition, const Key& key) {
  const std::vector<Key> named = named_by(definition);
  return std::ranges::find(named, key) != named.end();
}

std::string users_of(const Rules& rules, const Key& key) {
  std::string users;
  for (const auto& [other, definition] : rules) {
    if (other != key && names(*definition, key)) users += cat(users.empty() ? "" : ", ", title(*definition));
  }
  return users;
}

// "/body/of/1/of/0" of the first node for which something holds; empty: it holds for none.
template <class Holds>
std::string pointer_to(const rule::Node& node, const std::string& pointer, const Holds& holds) {
  if (holds(node)) return pointer;
  for (size_t i = 0; i < node.of.size(); ++i) {
    if (auto found = pointer_to(node.of[i], cat(pointer, "/of/", i), holds); !found.empty()) return found;
  }
  return "";
}
constexpr char kBody[] = "/body";

// Where a definition names another.
std::string pointer_to(const rule::Definition& definition, const Key& key) {
  const rule::Op op = key.first == rule::Kind::kSegment ? rule::Op::kSegment : rule::Op::kTag;
  return pointer_to(definition.body, kBody,
                    [&](const rule::Node& node) { return node.op == op && node.text == key.second; });
}

// A walk in depth, as a list of who is on the way down. A circle is told as it is read.
class Walk {
 public:
  Walk(const Rules& rules, Unlisted unlisted) : rules_(rules), unlisted_(unlisted) {}

  std::optional<Objection> run() {
    for (const auto& [key, definition] : rules_) {
      if (auto objection = visit(key)) return objection;
    }
    return std::nullopt;
  }

 private:
  struct Visit {
    Key key;
    std::vector<Key> left;
  };

  std::optional<Objection> visit(const Key& start) {
    std::vector<Visit> path;
    if (done_[start]) return std::nullopt;
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
      if (found == rules_.end()) {
        if (unlisted_ == Unlisted::kElsewhere) continue;
        return Objection{{part_of(path.back().key, next)}, missing(next)};
      }
      if (done_[next]) continue;
      const auto met = std::ranges::find(path, next, &Visit::key);
      if (met != path.end()) return circle({met, path.end()});
      path.push_back({next, named_by(*found->second)});
    }
    return std::nullopt;
  }

  Objection::Part part_of(const Key& user, const Key& named) const {
    return {user.first, user.second, pointer_to(*rules_.at(user), named)};
  }
  std::string missing(const Key& key) const {
    std::vector<std::string> others;
    for (const auto& [other, definition] : rules_) {
      if (other.first == key.first) others.push_back(other.second);
    }
    return cat("there is no ", rule::to_string(key.first), " ", key.second, ", which is used by ",
               users_of(rules_, key), text::did_you_mean(key.second, others));
  }
  Objection circle(const std::vector<Visit>& path) const {
    Objection objection;
    std::string uses;
    for (size_t i = 0; i < path.size(); ++i) {
      objection.parts.push_back(part_of(path[i].key, path[(i + 1) % path.size()].key));
      uses += cat(path[i].key.second, " uses ");
    }
    objection.message =
        cat("rules that use each other in a circle have no meaning: ", uses, path.front().key.second);
    return objection;
  }

  const Rules& rules_;
  const Unlisted unlisted_;
  std::map<Key, bool> done_;
};

Rules by_name(const std::vector<NamedRule>& all) {
  Rules rules;
  for (const NamedRule& rule : all)
    rules[{rule.definition->kind, rule.definition->name}] = rule.definition.get();
  return rules;
}

// What was read from JSON has no lines: its parts are numbered instead, so that a problem finds its own.
void number(rule::Node& node, uint32_t& next) {
  node.place = {0, next++};
  for (rule::Node& child : node.of) number(child, next);
}

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
  if (const auto objection = objection_to(definition)) {
    const std::string& pointer = objection->parts[0].pointer;
    return failure(absl::StatusCode::kInvalidArgument, title(definition), ": ", objection->message,
                   pointer.empty() ? "" : ", at ", pointer);
  }
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

std::optional<Objection> objection_to(const rule::Definition& definition) {
  rule::Definition numbered = definition;
  uint32_t next = 1;
  numbered.place = {0, 0};
  number(numbered.body, next);
  const auto problem = rule::check(numbered, {});
  if (!problem) return std::nullopt;
  std::string pointer =
      pointer_to(numbered.body, kBody, [&](const rule::Node& node) { return node.place == problem->place; });
  return Objection{{{definition.kind, definition.name, std::move(pointer)}}, rule::to_text(*problem)};
}

std::optional<Objection> objection_to(const std::vector<const rule::Definition*>& rules, Unlisted unlisted) {
  Rules by_key;
  for (const rule::Definition* rule : rules) by_key[{rule->kind, rule->name}] = rule;
  return Walk(by_key, unlisted).run();
}

rule::Place place_of(const rule::Definition& definition, std::string_view pointer) {
  if (!pointer.starts_with(kBody)) return definition.place;
  rule::Place place = definition.body.place;
  const rule::Node* node = &definition.body;
  pointer.remove_prefix(std::string_view(kBody).size());
  constexpr std::string_view kOf = "/of/";
  while (pointer.starts_with(kOf)) {
    pointer.remove_prefix(kOf.size());
    size_t index = 0;
    const auto [end, error] = std::from_chars(pointer.data(), pointer.data() + pointer.size(), index);
    if (error != std::errc() || index >= node->of.size()) break;
    pointer.remove_prefix(static_cast<size_t>(end - pointer.data()));
    node = &node->of[index];
    place = node->place;
  }
  return place;
}

absl::Status check_unused(const Project& project, rule::Kind kind, std::string_view name) {
  const std::vector<NamedRule> all = rules_and_checks_of(project);
  const std::string users = users_of(by_name(all), {kind, std::string(name)});
  if (users.empty()) return absl::OkStatus();
  return failure(absl::StatusCode::kFailedPrecondition, "the ", rule::to_string(kind), " ", name,
                 " is used by ", users, ": change or delete what uses it first");
}

absl::Status check_rules(const Project& project) {
  const std::vector<NamedRule> all = rules_and_checks_of(project);
  if (auto status = check_lists(project, all); !status.ok()) return status;
  const Rules rules = by_name(all);
  const auto objection = Walk(rules, Unlisted::kMissing).run();
  return objection ? failure(absl::StatusCode::kFailedPrecondition, objection->message) : absl::OkStatus();
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
std::vector<NamedRule> rules_and_checks_of(const Project& project) {
  return of_kinds(project, {kSegment, kTag, kCheck});
}

}  // namespace kehu::definition
