#include <algorithm>
#include <map>

#include "base/text.h"
#include "shard/shard.h"

// A new rule has missed what happened before it. What its tallies would have counted comes as records, part
// by part, from whoever reads the archive (backfill/), and is merged with what they have counted since:
// tallies are monoids, so nothing is counted twice as long as one side has the events up to a record and the
// other those behind it. Then all customers are asked, part by part again. Since all of it are records, a
// replay comes to the same, and a crash in between goes on where the log ends (docs/decisions/backfill.md).
namespace kehu::shard {

using membership::Registry;

Shard::BackfillJob Shard::backfill_job() const {
  BackfillJob job{.round = registry_.next_round(), .tallies = {}};
  if (job.round.kind != Registry::Round::Kind::kCount) return job;
  for (uint32_t i = 0; i < rules_.tallies().size(); ++i) {
    const tally::Counter& counter = rules_.tallies().at(i);
    const Registry::Tally* known = registry_.find(counter.id);
    if (known == nullptr || known->since == Sequence() || known->since > job.round.position) continue;
    job.tallies.emplace_back(counter.id, counter.spec);
  }
  return job;
}

// A record that was sent twice, by somebody who did not hear of the first, changes nothing.
absl::Status Shard::fill_in(const LogRecord& record, Instant now, Effects& effects) {
  const auto backfill = codec::decode_backfill(record.payload);
  if (!backfill.ok()) return backfill.status();
  const Registry::Round due = registry_.next_round();
  if (due.kind != backfill->kind || due.position != backfill->position) return absl::OkStatus();
  asked_.clear();
  for (const uint32_t index : rules_.all()) {
    const Registry::Rule* rule = registry_.find(rules_.at(index).id);
    if (rule != nullptr && rule->asking_since != Sequence()) asked_.push_back(index);
  }
  // A round goes through all customers, most of whom nobody has looked at for long.
  keys_.clear();
  for (const codec::Backfill::Entry& entry : backfill->entries) {
    keys_.push_back(graph_.customer_of(entry.part).value_or(CustomerId()).hash);  // zero: nobody has it
  }
  customers_.prefetch(keys_);
  Token last = due.after;
  for (size_t i = 0; i < backfill->entries.size(); ++i) {
    const codec::Backfill::Entry& entry = backfill->entries[i];
    const CustomerId owner{keys_[i]};
    if (entry.part <= last) continue;
    auto status = backfill->kind == Registry::Round::Kind::kCount
                      ? count_in(entry, owner)
                      : ask_in(owner, record.sequence, now, effects);
    if (!status.ok()) return status;
    last = entry.part;
  }
  registry_.advance(backfill->kind, backfill->position, last, backfill->entries.size());
  if (!backfill->last) return absl::OkStatus();
  const std::vector<membership::Label> asked_again = live_and_asked();
  finish_round(*backfill, record.sequence);
  note_rules(record.sequence, now, effects);
  // What a back-fill changes is not told one by one: a million members would be a million messages.
  if (backfill->kind == Registry::Round::Kind::kCount) return absl::OkStatus();
  for (const membership::Label& rule : asked_again)
    tell_updated({.rule = &rule, .sequence = record.sequence, .at = now}, effects);
  return absl::OkStatus();
}

// Versions in force of which all customers are asked in this round.
std::vector<membership::Label> Shard::live_and_asked() const {
  std::vector<membership::Label> rules;
  for (const uint32_t index : asked_) {
    if (rules_.at(index).is_live()) rules.push_back((*rules_.labels())[index]);
  }
  return rules;
}

absl::Status Shard::count_in(const codec::Backfill::Entry& entry, CustomerId owner) {
  if (owner.hash.is_zero() || entry.tallies.empty()) return absl::OkStatus();
  const std::string before(customers_.get(owner.hash));
  if (auto status = parts_.decode(before); !status.ok()) return status;
  const std::string_view bytes = parts_.find(entry.part);
  if (bytes.empty()) return absl::OkStatus();
  auto status = tally_folder_.merge(rules_.tallies(), parts_.tallies_of(entry.part), entry.tallies, tallies_);
  if (!status.ok()) return status;
  parts_.encode_with({entry.part, bytes, tallies_}, parts_.members(), blob_);
  customers_.put(owner.hash, blob_);
  return absl::OkStatus();
}

// The customer of each part is asked; one of several parts several times, which changes nothing.
absl::Status Shard::ask_in(CustomerId owner, Sequence sequence, Instant now, Effects& effects) {
  if (owner.hash.is_zero()) return absl::OkStatus();
  const std::string before(customers_.get(owner.hash));
  if (before.empty()) return absl::OkStatus();
  if (auto status = parts_.decode(before); !status.ok()) return status;
  if (!members_.read(parts_.members())) return absl::DataLossError("damaged customer state");
  const auto trait = [this](rule::Op op, std::string_view path) { return this->trait(op, path); };
  open_rules(parts_.parts());
  keeper_.advance(now, trait, changes_);
  note(owner, sequence, effects);
  filling_in_ = true;
  keeper_.update(asked_, now, trait, changes_);
  absl::Status status = put_members(owner, sequence, now, effects);
  filling_in_ = false;
  return status;
}

// A rule that names another one was asked about the version of it that was in force, or about the newest when
// none was. It comes into force with what it was asked about, and not while that is still being filled in or
// a newer one takes its place: then it is asked again, and waits. Only a statement's first run is not waited
// for: until then its tag is unknown.
std::vector<membership::RuleId> Shard::held_back(Sequence position) const {
  std::vector<bool> comes(rules_.size());
  const auto stays = [&](uint32_t index) {
    if (rules_.at(index).program.is_batch() && !rules_.at(index).is_asked()) return true;
    if (!comes[index]) return false;
    const rule::Definition& definition = rules_.at(index).version.definition;
    for (uint32_t other = 0; other < rules_.size(); ++other) {
      const membership::RuleVersion& version = rules_.at(other).version;
      const bool newer = version.definition.kind == definition.kind &&
                         version.definition.name == definition.name &&
                         version.version > rules_.at(index).version.version;
      if (newer && comes[other]) return false;
    }
    return true;
  };
  std::vector<membership::RuleId> held;
  for (uint32_t index = 0; index < rules_.size(); ++index) {
    const membership::Plan::Rule& rule = rules_.at(index);
    const Registry::Rule* known = registry_.find(rule.id);
    const bool asked = known->asking_since != Sequence() && known->asking_since <= position;
    const bool may = std::ranges::all_of(rule.program.rules(), stays);
    comes[index] = rule.is_live() || (asked && may);
    if (asked && !comes[index]) held.push_back(rule.id);
  }
  return held;
}

// Whoever names a rule that is in force only now has to be asked again, if it was not asked in this round or
// was asked about the version before.
void Shard::finish_round(const codec::Backfill& backfill, Sequence sequence) {
  std::map<membership::RuleId, std::vector<membership::RuleId>> named_before;
  for (uint32_t index = 0; index < rules_.size(); ++index)
    named_before[rules_.at(index).id] = named_by(index);
  std::vector<membership::RuleId> held;
  if (backfill.kind == Registry::Round::Kind::kAsk) held = held_back(backfill.position);
  const auto live = registry_.finish(backfill.kind, backfill.position, held);
  drop_older();
  compile();
  ask_waiting(sequence);
  for (const uint32_t index : rules_.all()) {
    const membership::RuleId id = rules_.at(index).id;
    const std::vector<membership::RuleId> named = named_by(index);
    const bool names_one = std::ranges::any_of(
        named, [&](membership::RuleId each) { return std::ranges::find(live, each) != live.end(); });
    const bool was_asked = std::ranges::find(live, id) != live.end() && named_before[id] == named;
    if (names_one && !was_asked) registry_.ask(id, sequence);
  }
}

std::vector<membership::RuleId> Shard::named_by(uint32_t rule) const {
  std::vector<membership::RuleId> named;
  for (const uint32_t index : rules_.at(rule).program.rules()) named.push_back(rules_.at(index).id);
  return named;
}

// Rules whose tallies are complete wait for nothing any more.
void Shard::ask_waiting(Sequence sequence) {
  bool changed = false;
  for (uint32_t index = 0; index < rules_.size(); ++index) {
    const membership::Plan::Rule& rule = rules_.at(index);
    // A statement's tag waits for its first run.
    if (rule.is_asked() || rule.program.is_batch()) continue;
    const bool complete = std::ranges::all_of(rule.program.tallies(), [this](uint32_t tally) {
      const Registry::Tally* known = registry_.find(rules_.tallies().at(tally).id);
      return known != nullptr && known->since == Sequence();
    });
    if (complete) registry_.ask(rule.id, sequence);
    changed |= complete;
  }
  if (changed) compile();
}

// Versions whose successor is in force.
void Shard::drop_older() {
  std::vector<membership::RuleId> gone;
  std::erase_if(rule_versions_, [&](const membership::RuleVersion& version) {
    const auto newer = std::ranges::find_if(registry_.rules(), [&](const Registry::Rule& rule) {
      return rule.kind == version.definition.kind && rule.name == version.definition.name &&
             rule.state == Registry::State::kLive && rule.version > version.version;
    });
    if (newer == registry_.rules().end()) return false;
    for (const Registry::Rule& rule : registry_.rules()) {
      const bool same = rule.kind == version.definition.kind && rule.name == version.definition.name &&
                        rule.version == version.version;
      if (same) gone.push_back(rule.id);
    }
    return true;
  });
  for (const membership::RuleId rule : gone) index_.forget(rule);
}

}  // namespace kehu::shard
