#include "replica/rules_in_force.h"

#include <algorithm>

#include "base/text.h"
#include "membership/plan.h"
#include "replica/replica.h"
#include "text/near_word.h"

namespace kehu::replica {

const RulesInForce::Rule* RulesInForce::find(rule::Kind kind, std::string_view name) const {
  const auto at = std::ranges::find_if(
      rules, [&](const Rule& rule) { return rule.definition.kind == kind && rule.definition.name == name; });
  return at == rules.end() ? nullptr : &*at;
}

absl::StatusOr<const RulesInForce::Rule*> RulesInForce::get(rule::Kind kind, std::string_view name) const {
  if (const Rule* found = find(kind, name)) return found;
  std::vector<std::string> names;
  for (const Rule& rule : rules) {
    if (rule.definition.kind == kind) names.push_back(rule.definition.name);
  }
  return failure(absl::StatusCode::kNotFound, "there is no ", rule::to_string(kind), " ", name,
                 text::did_you_mean(name, names));
}

std::function<std::optional<translation::Definition>(rule::Kind, std::string_view)>
RulesInForce::definitions() const {
  return [this](rule::Kind kind, std::string_view name) -> std::optional<translation::Definition> {
    const Rule* found = find(kind, name);
    if (found == nullptr) return std::nullopt;
    return translation::Definition{
        .body = &found->definition.body, .zone = found->zone, .version = found->version.value()};
  };
}

std::function<const rule::Cuts*(std::string_view)> RulesInForce::measured() const {
  return [this](std::string_view key) -> const rule::Cuts* {
    const auto at = cuts.find(key);
    return at == cuts.end() ? nullptr : &at->second;
  };
}

RulesInForce rules_in_force(Replica& replica) {
  RulesInForce found{.rules = {},
                     .cuts = {},
                     .quarantines = {},
                     .lists = replica.shard().lists(),
                     .uploaded_lists = replica.shard().uploaded_lists(),
                     .position = replica.applied(),
                     .tick = replica.tick(),
                     .customers = static_cast<uint64_t>(replica.totals().customers)};
  for (const auto& each : replica.shard().quarantines())
    found.quarantines.emplace_back(each.trait, each.source);
  const membership::Plan& plan = replica.shard().rules();
  for (uint32_t i = 0; i < plan.size(); ++i) {
    const membership::Plan::Rule& rule = plan.at(i);
    const rule::Definition& definition = rule.version.definition;
    if (plan.find(definition.kind, definition.name) != i) continue;
    found.rules.push_back({.id = rule.id,
                           .version = rule.version.version,
                           .live = rule.is_live(),
                           .definition = definition,
                           .zone = BusinessZone::load(rule.version.zone).value_or(BusinessZone())});
    for (const std::string& key : rule.program.measures()) {
      const rule::Cuts* cuts = replica.shard().measurements().known_cuts(key);
      if (cuts != nullptr) found.cuts.emplace(key, *cuts);
    }
  }
  return found;
}

}  // namespace kehu::replica
