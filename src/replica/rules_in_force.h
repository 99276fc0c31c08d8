#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "base/civil_day.h"
#include "list/standing.h"
#include "membership/members.h"
#include "model/ids.h"
#include "rule/percentile.h"
#include "rule/tree.h"
#include "translation/translate.h"

namespace kehu::replica {

class Replica;

// The rules in force at one moment, as other threads may ask them of the archive.
struct RulesInForce {
  struct Rule {
    membership::RuleId id;
    Sequence version;
    bool live = false;  // else it is being filled in
    rule::Definition definition;
    BusinessZone zone;
  };
  std::vector<Rule> rules;
  std::map<std::string, rule::Cuts, std::less<>> cuts;  // that are known, by key
  std::vector<std::pair<std::string, std::string>>
      quarantines;                 // traits and sources whose values are unknown
  list::Standings lists;           // that are believed
  list::Standings uploaded_lists;  // all
  Sequence position;               // the last record that was applied
  Instant tick;
  uint64_t customers = 0;  // with events

  const Rule* find(rule::Kind kind, std::string_view name) const;
  // NotFound names those that are near.
  absl::StatusOr<const Rule*> get(rule::Kind kind, std::string_view name) const;

  // For questions (query/rule_question.h), which this outlives.
  std::function<std::optional<translation::Definition>(rule::Kind, std::string_view)> definitions() const;
  std::function<const rule::Cuts*(std::string_view)> measured() const;
};

// On the replica's thread. Of a name the version in force; while there is none, the newest.
RulesInForce rules_in_force(Replica& replica);

}  // namespace kehu::replica
