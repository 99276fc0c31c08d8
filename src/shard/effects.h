#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "base/money.h"
#include "codec/record.h"
#include "definition/project.h"
#include "identity/resolution.h"
#include "membership/keeper.h"
#include "membership/plan.h"
#include "model/event.h"
#include "model/ids.h"
#include "model/intent.h"

namespace kehu::shard {

// What applying one event meant. `event` points into the batch.
struct Applied {
  const Event* event = nullptr;
  Sequence sequence;
  CustomerId customer;  // zero: the event has no usable identifier and belongs to nobody
  Token part;
  bool new_customer = false;
};

// What one customer has become, or is no more, by a rule.
struct MembershipChange {
  CustomerId customer;
  Sequence sequence;  // of the record that made it: an event, a merge, a tick
  membership::Change change;
  bool live = true;  // by a version that is in force; otherwise by one that is being filled in
  const membership::Label* rule = nullptr;  // lives as long as Effects::labels
};

// A version of a rule came into force, or no version of the rule is any more.
struct RuleChange {
  const membership::Label* rule = nullptr;  // lives as long as Effects::labels
  Sequence sequence;
  Instant at;
  bool in_force = true;
};

// How often a source, or a list, agreed with own facts, and what follows for its values.
struct CheckResult {
  Sequence sequence;  // of the record that measured it
  std::string check;
  Sequence version;
  std::string compares;  // "trait.city", "list.VIP"
  std::string source;    // of a trait
  Instant as_of;
  uint64_t compared = 0;
  uint64_t agreed = 0;
  Decimal at_least;
  bool quarantined = false;  // from this record on
};

// What a command is answered, by its kind: a merge or un-merge, a change of definitions.
using Outcome = std::variant<identity::Outcome, definition::Defined>;

struct CommandResult {
  Sequence sequence;
  absl::StatusOr<Outcome> outcome;
};

// What leaves the shard, in log order. Applying appends to it; what it points to is valid until clear().
class Effects {
 public:
  std::vector<Applied> events;
  std::vector<identity::Move> moves;
  std::vector<CommandResult> commands;
  std::vector<definition::NamedVersion> definitions;  // versions that came to be
  std::vector<MembershipChange> memberships;
  std::vector<RuleChange> rules;                                  // behind the memberships of the same record
  std::vector<std::shared_ptr<const membership::Labels>> labels;  // what both name
  std::vector<Intent> intents;                                    // which the outbox holds, too
  std::vector<IntentKey> settled;                                 // whose receipt came
  std::vector<CheckResult> checks;                                // that were measured
  uint64_t measurements = 0;                                      // that were applied
  uint64_t timers_due = 0;                                        // timers that came due
  uint64_t receipts_repeated = 0;                                 // of intents that were counted before
  uint64_t unlisted_channels = 0;  // events whose channel the table of channels does not know
  uint64_t amounts_unread = 0;     // order events whose amount or currency could not be read
  int64_t customers_delta = 0;     // customers that came to be, less those that ended

  void clear() {
    events.clear();
    moves.clear();
    commands.clear();
    definitions.clear();
    memberships.clear();
    rules.clear();
    labels.clear();
    intents.clear();
    settled.clear();
    checks.clear();
    measurements = timers_due = receipts_repeated = 0;
    customers_delta = 0;
    unlisted_channels = amounts_unread = 0;
    decoded_used_ = 0;
  }

  // Room for one more decoded event; keeps its memory over clear().
  codec::EventRecord& next_decoded() {
    if (decoded_used_ == decoded_.size()) decoded_.emplace_back();
    return decoded_[decoded_used_++];
  }

 private:
  std::deque<codec::EventRecord> decoded_;  // a deque: the events keep their places while it grows
  size_t decoded_used_ = 0;
};

}  // namespace kehu::shard
