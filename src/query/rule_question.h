#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/civil_day.h"
#include "base/time.h"
#include "list/standing.h"
#include "model/ids.h"
#include "rule/percentile.h"
#include "rule/tree.h"
#include "translation/translate.h"

namespace kehu::query {

// What a rule comes to at a moment, by all events of the archive, rows of the last milliseconds included. The
// rule has passed rule::check(), and so have those that it names.
//
// Cost: a walk over the events that the rule names. Traits are read only if it names some; and only a rule
// that is true of somebody who has done nothing needs a list of all customers.
struct RuleQuestion {
  const rule::Node* rule = nullptr;  // lives as long as the call
  translation::Answer answer = translation::Answer::kTruth;
  Instant now;
  BusinessZone zone;
  std::function<std::optional<translation::Definition>(rule::Kind kind, std::string_view name)> definition =
      {};

  // What was measured of a number, by its key (rule/percentile.h); nullptr, or no function: nothing.
  std::function<const rule::Cuts*(std::string_view key)> cuts = {};

  // Uploaded lists that are believed.
  list::Standings lists = {};
  // Traits and sources: what such a source wrote last is unknown. (Customers below come without it.)
  std::vector<std::pair<std::string, std::string>> quarantines = {};

  // Somebody as the state has it at a record.
  struct Customer {
    CustomerId id;
    std::vector<Token> parts;
    std::string traits = "{}";   // JSON
    std::string origins = "{}";  // of them (translation/translate.h)
  };
  // Only these, by the records up to `up_to`. Empty: all, as they are today.
  std::vector<Customer> customers = {};
  Sequence up_to = {};

  // How many customers have events, for size_of(): it need not list them where a rule is true of most.
  std::optional<uint64_t> everybody = {};
  std::optional<Duration> time_limit = {};  // nullopt: that of statements
};

struct RuleSize {
  uint64_t customers = 0;
  std::vector<CustomerId> examples;
};

// How a number lies among all customers for whom it is known.
struct Spread {
  uint64_t customers = 0;
  rule::Cuts cuts;  // none without customers
};

// Whose trait a source wrote last.
struct TraitOfSource {
  std::string trait;
  std::string source;
};
struct Agreement {
  uint64_t compared = 0;  // where the rule is known
  uint64_t agreed = 0;    // where it is 1
};

// Whether a rule names traits or lists, or another does that it names.
bool asks_traits(const RuleQuestion& question);

}  // namespace kehu::query
