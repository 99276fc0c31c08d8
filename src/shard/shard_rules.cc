#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "shard/shard.h"

// What customers are by the rules. Tallies lie beside each part and move with it; members belong to the
// customer, follow from its parts, and are computed anew behind a merge (docs/decisions/customer-state.md).
namespace kehu::shard {
namespace {

// Counts of members lie beside the registry, whose place is {0, 1}.
Hash128 place_of(membership::RuleId rule) { return Hash128{1, rule.value()}; }

}  // namespace

// Fields are asked for by rules and by the profile, and read in one walk.
void Shard::compile() {
  property::FieldPlan fields;
  rules_ = membership::Plan(rule_versions_, registry_, rules_since_, fields);
  plan_ = profile::Plan(*settings_, sources_, std::move(fields));
}

void Shard::use(std::vector<membership::RuleVersion> rules, Sequence position) {
  std::vector<membership::RuleId> before;
  for (const auto& rule : registry_.rules()) before.push_back(rule.id);
  rule_versions_ = std::move(rules);
  rules_since_ = position;
  compile();
  for (const membership::RuleId rule : before) {
    if (!rules_.find(rule)) rule_store_.erase(place_of(rule));
  }
}

absl::Status Shard::load_rules() { return registry_.load(); }

uint64_t Shard::members_of(membership::RuleId rule) {
  const std::string_view bytes = rule_store_.get(place_of(rule));
  uint64_t count = 0;
  if (bytes.size() == sizeof(count)) std::memcpy(&count, bytes.data(), sizeof(count));
  return count;
}

absl::StatusOr<membership::Members> Shard::members(CustomerId customer) {
  CustomerParts parts;
  const std::string blob(customers_.get(customer.hash));
  if (auto status = parts.decode(blob); !status.ok()) return status;
  membership::Members members;
  if (!members.read(parts.members())) return absl::DataLossError("damaged customer state");
  members.keep_if([this](membership::RuleId rule) { return rules_.find(rule).has_value(); });
  return members;
}

std::optional<json::RawValue> Shard::trait(std::string_view path) { return traits_.find(path); }

void Shard::open_rules(absl::Span<const Part> parts) {
  part_tallies_.clear();
  trait_parts_.clear();
  for (const Part& part : parts) {
    part_tallies_.push_back(part.tallies);
    trait_parts_.push_back(part.bytes);
  }
  keeper_.open(rules_, part_tallies_, members_);
  traits_.open(trait_parts_);
  changes_.clear();
}

// What time alone makes true comes before what the event makes true; then only the rules that such an event
// can change are asked, or all of them for somebody who is new.
absl::Status Shard::keep_rules(const Applied& applied, Instant now, Effects& effects) {
  tallies_ = parts_.tallies_of(applied.part);
  members_bytes_ = parts_.members();
  if (rules_.empty()) return absl::OkStatus();
  if (!members_.read(members_bytes_)) return absl::DataLossError("damaged customer state");
  const auto trait = [this](std::string_view path) { return this->trait(path); };
  const Instant due_before = members_.due();
  bool asked = false;
  if (members_.due() <= now) {
    open_rules(parts_.parts());
    keeper_.advance(now, trait, changes_);
    note(applied.customer, applied.sequence, effects);
    asked = true;
  }
  const Event& event = *applied.event;
  const auto counted = tally_folder_.fold(rules_.tallies(), parts_.tallies_of(applied.part),
                                          {event, fields_, source_name(event.source)}, folded_tallies_);
  if (!counted.ok()) return counted.status();
  if (*counted) std::swap(tallies_, folded_tallies_);
  const bool is_new = parts_.empty();
  const auto touched = is_new ? rules_.all() : rules_.touched(event);
  if (!touched.empty()) {
    put_part({applied.part, folded_, tallies_});
    open_rules(all_);
    keeper_.update(touched, now, trait, changes_);
    note(applied.customer, applied.sequence, effects);
    asked = true;
  }
  if (!asked) return absl::OkStatus();
  finish_members(applied.customer, due_before);
  return keeper_.status();
}

// all_: the parts of the customer at hand with one of them replaced or added.
void Shard::put_part(const Part& part) {
  all_.assign(parts_.parts().begin(), parts_.parts().end());
  const auto at = std::ranges::lower_bound(all_, part.token, {}, &Part::token);
  if (at != all_.end() && at->token == part.token) {
    *at = part;
  } else {
    all_.insert(at, part);
  }
}

// A timer that was set for another moment stays, and means nothing when it is due: that is cheaper than taking
// it out, since most moments only move forward.
void Shard::finish_members(CustomerId customer, Instant due_before) {
  members_.keep_if([this](membership::RuleId rule) { return rules_.find(rule).has_value(); });
  members_.write(members_bytes_);
  if (members_.due() == kLastInstant || members_.due() == due_before) return;
  timers_.set({.due = members_.due(),
               .id = timer::TimerId{customer.hash},
               .owner = customer,
               .kind = static_cast<uint16_t>(Purpose::kRules)});
}

void Shard::note(CustomerId customer, Sequence sequence, Effects& effects) {
  for (membership::Change& change : changes_) {
    const int step = (change.after.known() ? 1 : 0) - (change.before.known() ? 1 : 0);
    if (step != 0) {
      const uint64_t count = members_of(change.rule) + static_cast<uint64_t>(step);
      rule_store_.put(place_of(change.rule), {reinterpret_cast<const char*>(&count), sizeof(count)});
    }
    effects.memberships.push_back({customer, sequence, std::move(change)});
  }
  changes_.clear();
}

absl::Status Shard::rules_due(const timer::Timer& timer, Sequence tick, Effects& effects) {
  if (auto status = parts_.decode(customers_.get(timer.owner.hash)); !status.ok()) return status;
  if (!members_.read(parts_.members())) return absl::DataLossError("damaged customer state");
  if (members_.due() != timer.due) return absl::OkStatus();
  const auto trait = [this](std::string_view path) { return this->trait(path); };
  open_rules(parts_.parts());
  keeper_.advance(timer.due, trait, changes_);
  note(timer.owner, tick, effects);
  if (auto status = keeper_.status(); !status.ok()) return status;
  finish_members(timer.owner, timer.due);
  CustomerParts::encode(parts_.parts(), members_bytes_, blob_);
  customers_.put(timer.owner.hash, blob_);
  return absl::OkStatus();
}

// All of a customer that is no more; other_parts_ is what it was.
absl::Status Shard::leave_all(CustomerId customer, Sequence sequence, Instant now, Effects& effects) {
  if (!members_.read(other_parts_.members())) return absl::DataLossError("damaged customer state");
  changes_.clear();
  for (const membership::Members::Entry& entry : members_.entries()) {
    const auto rule = rules_.find(entry.rule);
    if (!rule) continue;
    changes_.push_back({.rule = entry.rule,
                        .kind = rules_.at(*rule).version.definition.kind,
                        .at = now,
                        .before = entry.value,
                        .after = {}});
  }
  note(customer, sequence, effects);
  return absl::OkStatus();
}

absl::Status Shard::keep_all_rules(CustomerId customer, Sequence sequence, Instant now, Effects& effects) {
  const std::string before(customers_.get(customer.hash));
  if (before.empty()) return absl::OkStatus();
  if (auto status = parts_.decode(before); !status.ok()) return status;
  if (!members_.read(parts_.members())) return absl::DataLossError("damaged customer state");
  const Instant due_before = members_.due();
  members_.set_due(kLastInstant);
  open_rules(parts_.parts());
  keeper_.update(rules_.all(), now, [this](std::string_view path) { return this->trait(path); }, changes_);
  note(customer, sequence, effects);
  if (auto status = keeper_.status(); !status.ok()) return status;
  finish_members(customer, due_before);
  CustomerParts::encode(parts_.parts(), members_bytes_, blob_);
  customers_.put(customer.hash, blob_);
  return absl::OkStatus();
}

std::string_view Shard::source_name(SourceId id) const {
  const auto at = std::ranges::find(sources_, id, &profile::SourceName::id);
  return at == sources_.end() ? std::string_view() : std::string_view(at->name);
}

}  // namespace kehu::shard
