#include "membership/keeper.h"

#include <algorithm>

#include "base/text.h"

// A customer is asked again only for rules that an event can have changed, and at the moment that the last
// answers named. That moment may come too early (for a rule whose answer then is the same), but never too late:
// so it is only ever moved forward by asking everything that depends on time.
namespace kehu::membership {

void Keeper::open(const Plan& plan, absl::Span<const std::string_view> tallies, Members& members) {
  plan_ = &plan;
  members_ = &members;
  totals_.open(plan.tallies(), tallies);
}

void Keeper::advance(Instant now, TraitOf trait, std::vector<Change>& changes) {
  while (members_->due() <= now) {
    const Instant due = members_->due();
    members_->set_due(std::max(ask(plan_->timed(), due, trait, changes), due + Duration(1)));
  }
}

void Keeper::update(absl::Span<const uint32_t> rules, Instant now, TraitOf trait, std::vector<Change>& changes) {
  const Instant until = ask(rules, now, trait, changes);
  members_->set_due(std::min(members_->due(), std::max(until, now + Duration(1))));
}

Instant Keeper::ask(absl::Span<const uint32_t> rules, Instant now, TraitOf trait, std::vector<Change>& changes) {
  now_ = now;
  trait_ = &trait;
  Instant until = kLastInstant;
  for (const uint32_t index : rules) {
    const Plan::Rule& rule = plan_->at(index);
    Answer answer = rule.program.answer(*this);
    until = std::min(until, answer.until);
    note(rule, std::move(answer.value), changes);
  }
  trait_ = nullptr;
  return until;
}

void Keeper::note(const Plan::Rule& rule, rule::Value value, std::vector<Change>& changes) {
  const rule::Definition& definition = rule.version.definition;
  if (definition.kind == rule::Kind::kSegment) {
    value = rule::as_bool(value).value_or(false) ? rule::Value::of(true) : rule::Value();
  } else {
    if (!value.known() && definition.keep_when_empty) return;
    value.text = std::string(cut_utf8(value.text, kTagBytes));
  }
  const Members::Entry* entry = members_->find(rule.id);
  rule::Value before = entry == nullptr ? rule::Value() : entry->value;
  if (before == value) return;
  members_->set(rule.id, now_, value);
  changes.push_back({.rule = rule.id,
                     .kind = definition.kind,
                     .at = now_,
                     .before = std::move(before),
                     .after = std::move(value)});
}

namespace {

// Literals explain themselves, and selectors are no values.
bool says_something(const rule::Node& node) {
  return node.op > rule::Op::kList && node.op != rule::Op::kEvents && node.op != rule::Op::kStep &&
         node.op != rule::Op::kNotStep;
}

void collect_parts(const rule::Node& node, size_t depth, std::vector<Reason>& reasons) {
  if (!says_something(node)) return;
  reasons.push_back({.node = &node, .depth = depth, .value = {}, .until = kLastInstant});
  if (tally::is_aggregate(node.op)) return;
  for (const rule::Node& child : node.of) collect_parts(child, depth + 1, reasons);
}

}  // namespace

std::vector<Reason> Keeper::explain(const Plan::Rule& rule, Instant now, TraitOf trait) {
  now_ = now;
  trait_ = &trait;
  std::vector<Reason> reasons;
  collect_parts(rule.version.definition.body, 0, reasons);
  for (Reason& reason : reasons) {
    Answer answer = Program(*reason.node, rule.version.zone, plan_->names()).answer(*this);
    reason.value = std::move(answer.value);
    reason.until = answer.until;
  }
  trait_ = nullptr;
  return reasons;
}

// A version in force while the next one is filled in may name what has been deleted meanwhile.
rule::Value Keeper::result(uint32_t rule) {
  if (rule >= plan_->size()) return {};
  const Members::Entry* entry = members_->find(plan_->at(rule).id);
  return entry == nullptr ? rule::Value() : entry->value;
}

absl::Status Keeper::status() const {
  if (!totals_.failed()) return absl::OkStatus();
  return failure(absl::StatusCode::kDataLoss,
                 "the stored state of a customer is damaged (tallies of rules): run kehu check; a copy of the "
                 "data directory or a replay of the log restores it");
}

}  // namespace kehu::membership
