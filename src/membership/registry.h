#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "membership/members.h"
#include "model/ids.h"
#include "model/record.h"
#include "rule/tree.h"
#include "store/blob_store.h"
#include "tally/spec.h"

namespace kehu::membership {

// One version of a definition.
struct RuleVersion {
  Sequence version;
  rule::Definition definition;
  std::string zone;  // that of the definition, else the project's
};

// Which number stands for which rule and which tally in customers' states, and since when each has counted.
// Numbers are given in the order of the log and never again to something else, so that what an old rule has
// left behind in a customer's state is never taken for that of a new one.
class Registry {
 public:
  // `store` holds it and is used by others for other keys.
  explicit Registry(BlobStore& store) : store_(store) {}
  absl::Status load();

  // A rule waits until its tallies have counted what came before it; then customers are asked one by one, and
  // those with events at once; then it is in force.
  enum class State : uint8_t { kWaiting = 0, kAsking = 1, kLive = 2 };
  struct Rule {
    RuleId id;
    rule::Kind kind = rule::Kind::kSegment;
    std::string name;
    Sequence version;
    State state = State::kWaiting;
    Sequence asking_since =
        {};  // all customers are to be asked, by a round that begins behind this; zero: none is
  };
  struct Tally {
    tally::TallyId id;
    std::string key;  // tally::Spec::key()
    Sequence since;   // it has counted the events behind this record; zero: all
  };
  // A back-fill: rounds over all parts of customers, in the order of their tokens.
  struct Round {
    using Kind = BackfillRound;
    Kind kind = Kind::kNone;
    Sequence position;   // it is for tallies and rules that were there at this record
    Token after;         // the parts up to this one are done
    uint64_t parts = 0;  // how many these are
  };

  // Those of these versions; new ones are given numbers and, at `position`, the beginning of their tallies;
  // at zero they have missed nothing, and are live. What no version asks for any more is forgotten.
  RuleId rule(const RuleVersion& version, Sequence position);
  // Of several that can answer for a spec (tally::Cover) one that has missed nothing, and of these the
  // one that reaches furthest back. Ask for the furthest first, so that one counts for all.
  struct Found {
    tally::TallyId id;
    tally::Spec spec;  // of that one
  };
  Found tally(const tally::Spec& spec, Sequence position);
  // Behind all of rule() and tally(): forgets what was not asked for since the last call, and stores the
  // rest.
  void settle();

  const Tally* find(tally::TallyId id) const;
  const Rule* find(RuleId id) const;
  // The version that is in force; nullptr: none yet.
  const Rule* live(rule::Kind kind, std::string_view name) const;

  // The round that is due, as far as it has come; of kind kNone: nothing is to be filled in.
  Round next_round() const;
  // Parts up to `after` are done.
  void advance(Round::Kind kind, Sequence position, Token after, uint64_t parts);
  // All are: tallies have counted everything; or rules are live, but those that are `held` back. Answers the
  // rules that changed state.
  std::vector<RuleId> finish(Round::Kind kind, Sequence position, absl::Span<const RuleId> held = {});
  // All of a rule's tallies have counted everything: customers can be asked, by a round behind `position`.
  void ask(RuleId rule, Sequence position);
  const std::vector<Rule>& rules() const { return rules_; }

 private:
  void save() const;

  BlobStore& store_;
  std::vector<Rule> rules_;
  std::vector<Tally> tallies_;
  std::vector<bool> rules_used_, tallies_used_;
  Round round_;
  uint32_t next_rule_ = 1;
  uint32_t next_tally_ = 1;
};

}  // namespace kehu::membership
