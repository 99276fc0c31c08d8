#include "trial/trial.h"

#include <algorithm>

#include "base/text.h"
#include "membership/plan.h"
#include "replica/replica.h"
#include "text/near_word.h"

namespace kehu::trial {
namespace {

constexpr Duration kArchivePatience = Duration::seconds(30);
// Of a page of members, which holds up the apply thread for some 100 µs.
constexpr size_t kPage = 4096;

}  // namespace

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

// The session is made once, where end() can find it.
absl::Status Trial::begin() {
  auto session = reader_.connect();
  if (!session.ok()) return session.status();
  const std::lock_guard lock(mutex_);
  if (ended_) return absl::CancelledError("whoever asked has left");
  session_ = *std::move(session);
  return absl::OkStatus();
}

void Trial::end() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  if (session_ != nullptr) session_->end();
}

// What the log had at that moment is in the archive behind this.
absl::StatusOr<RulesInForce> Trial::rules_in_force() {
  auto rules = engine_.ask<RulesInForce>([](replica::Replica& replica) {
    RulesInForce found{.rules = {},
                       .position = replica.applied(),
                       .tick = replica.tick(),
                       .customers = static_cast<uint64_t>(replica.totals().customers)};
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
    }
    return found;
  });
  if (rules.ok()) engine_.wait_archived(kArchivePatience);
  return rules;
}

// They change between the pages; what matters is looked at again.
absl::StatusOr<std::vector<CustomerId>> Trial::members(membership::RuleId rule) {
  std::vector<CustomerId> all;
  uint32_t from = 0;
  do {
    auto page = engine_.ask<membership::Index::Page>(
        [rule, from](replica::Replica& replica) { return replica.shard().index().page(rule, from, kPage); });
    if (!page.ok()) return page.status();
    all.insert(all.end(), page->customers.begin(), page->customers.end());
    from = page->next;
  } while (from != 0);
  std::erase(all, CustomerId{});
  std::ranges::sort(all);
  return all;
}

query::RuleQuestion Trial::question(const RulesInForce& rules, const rule::Definition& definition,
                                    const BusinessZone& zone) const {
  query::RuleQuestion question;
  question.rule = &definition.body;
  question.zone = zone;
  if (definition.kind == rule::Kind::kTag) question.answer = translation::Answer::kTagged;
  question.definition = [&rules](rule::Kind kind,
                                 std::string_view name) -> std::optional<translation::Definition> {
    const RulesInForce::Rule* found = rules.find(kind, name);
    if (found == nullptr) return std::nullopt;
    return translation::Definition{.body = &found->definition.body, .zone = found->zone};
  };
  return question;
}

}  // namespace kehu::trial
