#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "membership/members.h"
#include "model/ids.h"
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

  struct Rule {
    RuleId id;
    rule::Kind kind = rule::Kind::kSegment;
    std::string name;
    Sequence version;
  };
  struct Tally {
    tally::TallyId id;
    std::string key;   // tally::Spec::key()
    Sequence since;    // it has counted the events behind this record; zero: all
  };

  // Those of these versions; new ones are given numbers and, at `position`, the beginning of their tallies.
  // What no version asks for any more is forgotten.
  RuleId rule(const RuleVersion& version);
  tally::TallyId tally(const tally::Spec& spec, Sequence position);
  // Behind all of rule() and tally(): forgets what was not asked for since the last call, and stores the rest.
  void settle();

  const Tally* find(tally::TallyId id) const;
  const std::vector<Rule>& rules() const { return rules_; }

 private:
  void save() const;

  BlobStore& store_;
  std::vector<Rule> rules_;
  std::vector<Tally> tallies_;
  std::vector<bool> rules_used_, tallies_used_;
  uint32_t next_rule_ = 1;
  uint32_t next_tally_ = 1;
};

}  // namespace kehu::membership
