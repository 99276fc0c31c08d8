#include "trial/trial.h"

#include <algorithm>

#include "replica/replica.h"

namespace kehu::trial {
namespace {

constexpr Duration kArchivePatience = Duration::seconds(30);
// Of a page of members, which holds up the apply thread for some 100 µs.
constexpr size_t kPage = 4096;

}  // namespace

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
  auto rules = engine_.ask<RulesInForce>(&replica::rules_in_force);
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
  question.definition = rules.definitions();
  question.cuts = rules.measured();
  question.quarantines = rules.quarantines;
  question.lists = rules.lists;
  return question;
}

}  // namespace kehu::trial
