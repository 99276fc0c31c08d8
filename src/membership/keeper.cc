#include "membership/keeper.h"

#include <algorithm>

#include "base/text.h"

// A customer is asked again only for rules that an event can have changed, and for each rule at the moment
// that its last answer named. That moment may come too early (the answer then is the same), but never too
// late.
namespace kehu::membership {

void Keeper::open(const Plan& plan, absl::Span<const std::string_view> tallies, Members& members) {
  plan_ = &plan;
  members_ = &members;
  totals_.open(plan.tallies(), tallies);
}

void Keeper::open(const Plan& plan, std::string_view tallies, const tally::Folder& folder, Members& members) {
  plan_ = &plan;
  members_ = &members;
  totals_.open(plan.tallies(), tallies, folder);
}

void Keeper::advance(Instant now, TraitOf trait, std::vector<Change>& changes) {
  for (Instant due = members_->due(); due <= now; due = members_->due()) {
    due_rules_.clear();
    for (const Members::Due& each : members_->dues()) {
      if (each.at > due) continue;
      const auto index = plan_->find(each.rule);
      if (!index) continue;
      due_rules_.push_back(*index);
      const auto& dependents = plan_->dependents(*index);
      due_rules_.insert(due_rules_.end(), dependents.begin(), dependents.end());
    }
    members_->keep_if([this](RuleId rule) { return plan_->find(rule).has_value(); });
    std::ranges::sort(due_rules_);
    due_rules_.erase(std::unique(due_rules_.begin(), due_rules_.end()), due_rules_.end());
    update(due_rules_, due, trait, changes);
  }
}

void Keeper::update(absl::Span<const uint32_t> rules, Instant now, TraitOf trait,
                    std::vector<Change>& changes) {
  now_ = now;
  trait_ = &trait;
  for (const uint32_t index : rules) ask(plan_->at(index), changes);
  trait_ = nullptr;
}

absl::Span<const Plan::Touch> Keeper::select(const Plan& plan, absl::Span<const Plan::Touch> touched,
                                             const std::vector<uint32_t>& moved) {
  if (marks_.size() < plan.size()) marks_.resize(plan.size());
  if (moved_.size() < plan.tallies().size()) moved_.resize(plan.tallies().size());
  for (const uint32_t tally : moved) moved_[tally] = true;
  selected_.clear();
  for (const Plan::Touch& touch : touched) {
    const Program& program = plan.at(touch.rule).program;
    if (touch.always ||
        std::ranges::any_of(program.tallies(), [this](uint32_t tally) { return moved_[tally]; }) ||
        std::ranges::any_of(program.rules(), [this](uint32_t rule) { return marks_[rule]; })) {
      selected_.push_back(touch);
      marks_[touch.rule] = true;
    }
  }
  for (const Plan::Touch& touch : selected_) marks_[touch.rule] = false;
  for (const uint32_t tally : moved) moved_[tally] = false;
  return selected_;
}

// Who is in a segment that an event cannot take anybody out of stays in it, and what was due stays so: it may
// be due too early now.
void Keeper::touch(absl::Span<const Plan::Touch> rules, Instant now, TraitOf trait,
                   std::vector<Change>& changes) {
  now_ = now;
  trait_ = &trait;
  for (const Plan::Touch& touch : rules) {
    const Plan::Rule& rule = plan_->at(touch.rule);
    if (touch.drift != Drift::kEither) {
      const bool in = members_->find(rule.id) != nullptr;
      if (in == (touch.drift == Drift::kRises)) continue;
    }
    ask(rule, changes);
  }
  trait_ = nullptr;
}

// What a statement fills is asked nothing.
void Keeper::ask(const Plan::Rule& rule, std::vector<Change>& changes) {
  if (rule.program.is_batch()) return;
  Answer answer = rule.program.answer(*this);
  const bool never = answer.until == kLastInstant || !rule.is_asked();
  members_->set_due(rule.id, never ? kLastInstant : std::max(answer.until, now_ + Duration(1)));
  note(rule, std::move(answer.value), changes);
}

void Keeper::put(uint32_t rule, rule::Value value, Instant now, TraitOf trait, std::vector<Change>& changes) {
  now_ = now;
  const size_t before = changes.size();
  note(plan_->at(rule), std::move(value), changes);
  if (changes.size() > before) update(plan_->dependents(rule), now, trait, changes);
}

void Keeper::inherit(const Members::Entry& entry, Instant now, std::vector<Change>& changes) {
  const auto rule = plan_->find(entry.rule);
  const Members::Entry* own = members_->find(entry.rule);
  if (!rule || !plan_->at(*rule).program.is_batch() || (own != nullptr && own->since >= entry.since)) return;
  now_ = now;
  note(plan_->at(*rule), entry.value, changes);
  members_->set(entry.rule, entry.since, entry.value);
}

void Keeper::note(const Plan::Rule& rule, rule::Value value, std::vector<Change>& changes) {
  const rule::Definition& definition = rule.version.definition;
  if (definition.kind == rule::Kind::kSegment) {
    value = rule::as_bool(value).value_or(false) ? rule::Value::of(true) : rule::Value();
  } else {
    if (!value.known() && definition.keep_when_empty) return;
    // Lists are short by themselves.
    if (value.kind != rule::Value::Kind::kList) value.text = std::string(cut_utf8(value.text, kTagBytes));
  }
  const Members::Entry* entry = members_->find(rule.id);
  rule::Value before = entry == nullptr ? rule::Value() : entry->value;
  if (before == value) return;
  // What is kept is a list of texts: an old rule may have what is refused today as its value.
  if (value.kind == rule::Value::Kind::kList) {
    value = rule::Value::list_of_json(value.text);
    if (before == value) return;
  }
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
  if (rule::is_aggregate(node.op)) return;
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
  return failure(
      absl::StatusCode::kDataLoss,
      "the stored state of a customer is damaged (tallies of rules): run kehu check; a copy of the "
      "data directory or a replay of the log restores it");
}

}  // namespace kehu::membership
