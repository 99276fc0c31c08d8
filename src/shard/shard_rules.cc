#include <algorithm>
#include <iterator>
#include <utility>

#include "rule/nodes.h"
#include "shard/shard.h"

// What customers are by the rules. Tallies lie beside each part and move with it; members belong to the
// customer, follow from its parts, and are computed anew behind a merge (docs/decisions/customer-state.md).
namespace kehu::shard {

// Fields are asked for by rules and by the profile, and read in one walk. As long as nobody has said which
// rules there are, those that the registry knows are not gone.
void Shard::compile() {
  property::FieldPlan fields;
  if (rules_given_) {
    rules_ = membership::Plan(rule_versions_, registry_, rules_since_, fields);
    measurements_.keep_only([this](const std::string& key) { return !rules_.measuring(key).empty(); });
  }
  plan_ = profile::Plan(*settings_, sources_, std::move(fields));
}

// Until a new version has been filled in, the one before stays in force.
void Shard::use(std::vector<membership::RuleVersion> rules, Sequence position,
                std::vector<membership::RuleVersion> older) {
  std::vector<membership::RuleId> before;
  for (const auto& rule : registry_.rules()) before.push_back(rule.id);
  std::ranges::move(rule_versions_, std::back_inserter(older));
  rule_versions_ = std::move(rules);
  const size_t newest = rule_versions_.size();
  for (size_t i = 0; i < newest; ++i) {
    if (is_live_at_once(rule_versions_[i], position)) continue;
    const auto* live = registry_.live(rule_versions_[i].definition.kind, rule_versions_[i].definition.name);
    if (live == nullptr) continue;
    const auto kept = std::ranges::find_if(older, [live](const membership::RuleVersion& version) {
      return version.version == live->version && version.definition.kind == live->kind &&
             version.definition.name == live->name;
    });
    if (kept != older.end()) rule_versions_.push_back(*kept);
  }
  rules_since_ = position;
  rules_given_ = true;
  compile();
  if (position != Sequence()) ask_waiting(position);
  for (const membership::RuleId rule : before) {
    if (!rules_.find(rule)) index_.forget(rule);
  }
}

bool Shard::is_live_at_once(const membership::RuleVersion& version, Sequence position) const {
  const auto known = std::ranges::find_if(registry_.rules(), [&](const membership::Registry::Rule& rule) {
    return rule.version == version.version && rule.kind == version.definition.kind &&
           rule.name == version.definition.name;
  });
  if (known == registry_.rules().end()) return position == Sequence();
  return known->state == membership::Registry::State::kLive;
}

absl::Status Shard::load_rules() {
  if (auto status = registry_.load(); !status.ok()) return status;
  if (auto status = measurements_.load(); !status.ok()) return status;
  in_force_ = rules_in_force();
  return absl::OkStatus();
}

std::vector<membership::Label> Shard::rules_in_force() const {
  std::vector<membership::Label> rules;
  for (const membership::Registry::Rule& rule : registry_.rules()) {
    if (rule.state != membership::Registry::State::kLive) continue;
    rules.push_back({.kind = rule.kind, .name = rule.name, .version = rule.version});
  }
  return rules;
}

// What went out of force and has a successor needs no word of its own.
void Shard::note_rules(Sequence sequence, Instant now, Effects& effects) {
  std::vector<membership::Label> before = std::exchange(in_force_, rules_in_force());
  const auto missing = [](const std::vector<membership::Label>& from, const membership::Label& rule,
                          bool of_version) {
    return std::ranges::none_of(from, [&](const membership::Label& other) {
      return other.kind == rule.kind && other.name == rule.name &&
             (!of_version || other.version == rule.version);
    });
  };
  auto labels = std::make_shared<membership::Labels>();
  std::ranges::copy_if(before, std::back_inserter(*labels),
                       [&](const auto& rule) { return missing(in_force_, rule, false); });
  const size_t gone = labels->size();
  std::ranges::copy_if(in_force_, std::back_inserter(*labels),
                       [&](const auto& rule) { return missing(before, rule, true); });
  if (labels->empty()) return;
  for (size_t i = 0; i < labels->size(); ++i) {
    effects.rules.push_back({&(*labels)[i], sequence, now, i >= gone});
    tell_updated(effects.rules.back(), effects);
  }
  effects.labels.push_back(std::move(labels));
}

void Shard::tell_updated(const RuleChange& change, Effects& effects) {
  const auto index = rules_.find(change.rule->kind, change.rule->name);
  const uint64_t size = index && change.in_force ? index_.size(rules_.at(*index).id) : 0;
  notices_.updated(change, size, change.at, effects);
}

absl::Status Shard::for_each_member(
    const std::function<void(CustomerId, const membership::Members&)>& visit) {
  absl::Status status;
  customers_.for_each([&](const Hash128& customer, std::string_view blob) {
    CustomerParts parts;
    membership::Members members;
    status.Update(parts.decode(blob));
    if (!members.read(parts.members())) status.Update(absl::DataLossError("damaged customer state"));
    if (status.ok()) visit(CustomerId{customer}, members);
  });
  return status;
}

absl::StatusOr<membership::Members> Shard::members(CustomerId customer) {
  CustomerParts parts;
  const std::string blob(customers_.get(customer.hash));
  if (auto status = parts.decode(blob); !status.ok()) return status;
  membership::Members members;
  if (!members.read(parts.members())) return absl::DataLossError("damaged customer state");
  members.keep_if([this](membership::RuleId id) {
    const auto rule = rules_.find(id);
    return rule && rules_.at(*rule).is_live();
  });
  return members;
}

absl::StatusOr<std::vector<membership::Reason>> Shard::why(CustomerId customer,
                                                           const membership::Plan::Rule& rule, Instant now) {
  const std::string blob(customers_.get(customer.hash));
  if (auto status = parts_.decode(blob); !status.ok()) return status;
  if (!members_.read(parts_.members())) return absl::DataLossError("damaged customer state");
  open_rules(parts_.parts());
  auto reasons =
      keeper_.explain(rule, now, [this](rule::Op op, std::string_view path) { return trait(op, path); });
  if (auto status = keeper_.status(); !status.ok()) return status;
  return reasons;
}

bool Shard::is_disbelieved(std::string_view trait) {
  const auto stamp = traits_.stamp(trait);
  return stamp && quarantine_of(trait, source_name(stamp->source)) != nullptr;
}

rule::Value Shard::listed(rule::Op op, std::string_view list) {
  const list::Standing* standing = list::find(believed_lists_, list);
  if (standing == nullptr) return op == rule::Op::kListed ? rule::Value::of(false) : rule::Value();
  const auto nonce = traits_.find(standing->nonce_path());
  const bool on_it = nonce && rule::Value::of(*nonce).text == standing->nonce;
  if (op == rule::Op::kListed) return rule::Value::of(on_it);
  const auto value = on_it ? traits_.find(standing->value_path()) : std::nullopt;
  return value ? rule::Value::of(*value) : rule::Value();
}

rule::Value Shard::trait(rule::Op op, std::string_view path) {
  if (rule::asks_list(op)) return listed(op, path);
  if (!quarantines_.empty() && is_disbelieved(rule::trait_of(path))) return {};
  if (rule::has_several(op, path)) {
    std::vector<json::RawValue> values;
    traits_.each(path, [&](const json::RawValue& value) { values.push_back(value); });
    return rule::Value::several(values);
  }
  if (op == rule::Op::kTrait) {
    const auto raw = traits_.find(path);
    return raw ? rule::Value::of(*raw) : rule::Value();
  }
  const auto stamp = traits_.stamp(path);
  if (!stamp) return {};
  if (op == rule::Op::kTraitTime) return rule::Value::of(stamp->time);
  const std::string_view name = source_name(stamp->source);
  return name.empty() ? rule::Value() : rule::Value::of(name);
}

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

// What time alone makes true comes before what the event makes true; then only the rules that it can have
// changed are asked, and for somebody who is new those that are true of everybody, or will be. Of most events
// nothing follows, and what the customer is is not even read.
absl::Status Shard::keep_rules(const Applied& applied, Instant now, Effects& effects) {
  tallies_ = parts_.tallies_of(applied.part);
  members_bytes_ = parts_.members();
  if (rules_.empty()) return absl::OkStatus();
  const Event& event = *applied.event;
  const auto trait = [this](rule::Op op, std::string_view path) { return this->trait(op, path); };
  const bool is_due = membership::Members::timer_of(members_bytes_) <= now;
  if (is_due) {
    if (!members_.read(members_bytes_)) return absl::DataLossError("damaged customer state");
    open_rules(parts_.parts());
    keeper_.advance(now, trait, changes_);
    note(applied.customer, applied.sequence, effects);
    if (auto status = keeper_.status(); !status.ok()) return status;
  }
  const auto counted = tally_folder_.fold(rules_.tallies(), parts_.tallies_of(applied.part),
                                          {event, fields_, source_name(event.source)}, folded_tallies_);
  if (!counted.ok()) return counted.status();
  if (*counted) std::swap(tallies_, folded_tallies_);
  const bool is_whole = parts_.empty() || (parts_.parts().size() == 1 && !parts_.find(applied.part).empty());
  const auto touched =
      keeper_.select(rules_, parts_.empty() ? rules_.touched_first(event) : rules_.touched(event),
                     is_whole ? tally_folder_.moved() : tally_folder_.counted());
  if (!touched.empty()) {
    if (!is_due && !members_.read(members_bytes_)) return absl::DataLossError("damaged customer state");
    put_part({applied.part, folded_, tallies_});
    open_rules(all_);
    if (is_whole) keeper_.open(rules_, tallies_, tally_folder_, members_);
    keeper_.touch(touched, now, trait, changes_);
    note(applied.customer, applied.sequence, effects);
  }
  if (!is_due && touched.empty()) return absl::OkStatus();
  finish_members(applied.customer, now);
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

// A timer stays as long as it is not too late. One that was set for another moment finds that it is not the
// customer's any more.
void Shard::finish_members(CustomerId customer, Instant now) {
  members_.keep_if([this](membership::RuleId rule) { return rules_.find(rule).has_value(); });
  const Instant due = members_.due();
  if (due != kLastInstant && (members_.timer() <= now || members_.timer() > due)) {
    members_.set_timer(due);
    timers_.set({.due = due,
                 .id = timer::TimerId{customer.hash},
                 .owner = customer,
                 .kind = static_cast<uint16_t>(Purpose::kRules)});
  }
  members_.write(members_bytes_);
}

void Shard::note(CustomerId customer, Sequence sequence, Effects& effects) {
  for (membership::Change& change : changes_) {
    if (change.kind == rule::Kind::kSegment) {
      if (members_.number() == 0) members_.set_number(index_.add(customer));
      change.after.known() ? index_.enter(change.rule, members_.number())
                           : index_.leave(change.rule, members_.number());
    }
    const uint32_t index = *rules_.find(change.rule);
    effects.memberships.push_back(
        {customer, sequence, std::move(change), rules_.at(index).is_live(), &(*rules_.labels())[index]});
    const MembershipChange& noted = effects.memberships.back();
    if (noted.live && !filling_in_) notices_.changed(noted, tick_, effects);
  }
  const bool named = !effects.labels.empty() && effects.labels.back() == rules_.labels();
  if (!changes_.empty() && !named) effects.labels.push_back(rules_.labels());
  changes_.clear();
}

// What time alone has changed by `now`.
absl::Status Shard::catch_up(CustomerId customer, Sequence sequence, Instant now, Effects& effects) {
  if (auto status = parts_.decode(customers_.get(customer.hash)); !status.ok()) return status;
  if (membership::Members::timer_of(parts_.members()) > now) return absl::OkStatus();
  if (!members_.read(parts_.members())) return absl::DataLossError("damaged customer state");
  const auto trait = [this](rule::Op op, std::string_view path) { return this->trait(op, path); };
  open_rules(parts_.parts());
  keeper_.advance(now, trait, changes_);
  return put_members(customer, sequence, now, effects);
}

// What the keeper has made of the customer's members, beside its parts as they were.
absl::Status Shard::put_members(CustomerId customer, Sequence sequence, Instant now, Effects& effects) {
  note(customer, sequence, effects);
  if (auto status = keeper_.status(); !status.ok()) return status;
  finish_members(customer, now);
  CustomerParts::encode(parts_.parts(), members_bytes_, blob_);
  customers_.put(customer.hash, blob_);
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
  if (members_.number() != 0) index_.remove(members_.number());
  return absl::OkStatus();
}

absl::Status Shard::keep_all_rules(CustomerId customer, Sequence sequence, Instant now, Effects& effects,
                                   absl::Span<const membership::Members::Entry> inherited) {
  const std::string before(customers_.get(customer.hash));
  if (before.empty()) return absl::OkStatus();
  if (auto status = parts_.decode(before); !status.ok()) return status;
  if (!members_.read(parts_.members())) return absl::DataLossError("damaged customer state");
  members_.clear_dues();
  open_rules(parts_.parts());
  for (const membership::Members::Entry& entry : inherited) keeper_.inherit(entry, now, changes_);
  keeper_.update(
      rules_.all(), now, [this](rule::Op op, std::string_view path) { return this->trait(op, path); },
      changes_);
  return put_members(customer, sequence, now, effects);
}

std::string_view Shard::source_name(SourceId id) const {
  const auto at = std::ranges::find(sources_, id, &profile::SourceName::id);
  return at == sources_.end() ? std::string_view() : std::string_view(at->name);
}

}  // namespace kehu::shard
