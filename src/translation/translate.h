#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/civil_day.h"
#include "base/time.h"
#include "list/standing.h"
#include "rule/percentile.h"
#include "rule/tree.h"

// Rules as SQL of DuckDB: what a condition or a value comes to for all customers at one moment, from the
// events as they are stored. The meaning is that of docs/rules.md, and tests compare it with the
// interpreter's.
//
// The SQL calls functions of ours (functions.h) beside DuckDB's.
namespace kehu::translation {

// How the answer lies in the column `value`.
enum class Answer : uint8_t {
  kTruth,   // BOOLEAN, never NULL: of conditions
  kText,    // VARCHAR; NULL is the unknown
  kTagged,  // VARCHAR with the value's type (tagged.h); NULL is the unknown
  kNumber,  // BIGINT or HUGEINT, in units of 10^-4; NULL is the unknown
};

struct Definition {
  const rule::Node* body = nullptr;  // lives as long as the call
  BusinessZone zone;
  uint64_t version = 0;  // for `stored_tag`
};

struct Question {
  Instant now;
  BusinessZone zone;
  Answer answer = Answer::kTruth;
  // Names of relations, or selects in parentheses. Of events: customer_id, time (TIMESTAMP WITH TIME ZONE),
  // type, event, channel, source and properties (JSON text), as in the view `events` of docs/lake.md.
  std::string events = "events";
  // Of customers, one row each: customer_id and traits (JSON text); for rules that ask when a trait was
  // written or by whom, origins: {"city": {"time": "1767225600000000", "source": "crm"}}, microseconds; for
  // names that `definition` does not know, segments (VARCHAR[]) and tags (MAP of tagged texts) as well.
  std::string customers = "customers";
  // `customers` has only those of whom it knows something: of all others the rule is false without events,
  // and those with events that it names are answered beside them. Empty: it knows of nobody.
  bool partial = false;
  // The trees of other segments and tags, which are computed in place. nullopt: the stored answer is read.
  std::function<std::optional<Definition>(rule::Kind kind, std::string_view name)> definition = {};
  // What was measured of a number, by its key (rule/percentile.h); nullptr, or no function: nothing.
  std::function<const rule::Cuts*(std::string_view key)> cuts = {};
  // What a tag that a statement fills (kSql) has come to, which no event says: a select in parentheses of
  // customer_id and value, tagged. No function: nothing.
  std::function<std::string(std::string_view tag, uint64_t version)> stored_tag = {};
  // Uploaded lists, whose members are found by their traits.
  list::Standings lists = {};
};

// A SELECT of customer_id and value, one row for each customer. The tree has passed rule::check(), and so
// have those that it names; circles of them are InvalidArgument. Cost of the statement: one walk over the
// events that the rule names, however many functions it has.
absl::StatusOr<std::string> translate(const rule::Node& expression, const Question& question);

}  // namespace kehu::translation
