#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/civil_day.h"
#include "engine/engine.h"
#include "membership/members.h"
#include "query/rule_question.h"
#include "query/session.h"
#include "replica/rules_in_force.h"
#include "rule/percentile.h"
#include "rule/tree.h"

// What rules come to by the archive: before they are saved, and beside what the live state says.
namespace kehu::trial {

using replica::RulesInForce;

struct PreviewRequest {
  rule::Definition definition;  // checked; of a segment or a tag
  std::string segment;          // whose members it would change; empty: none's
};

struct ComparisonRequest {
  rule::Kind kind = rule::Kind::kSegment;
  std::string name;
};

// One question about a rule, asked of the archive and the live state. On a thread that may wait; end() from
// any.
class Trial {
 public:
  // Both outlive it.
  Trial(engine::Engine& engine, query::Reader& reader) : engine_(engine), reader_(reader) {}

  // {"size", "examples": [{"customer_id", "identifiers"}], "warnings" (warnings.h), "took_ms", "as_of"}. Of a
  // tag, size counts who has a value, and "values" are the most frequent ones. With a segment also
  // {"segment", "members", "enter", "leave"}, the last two {"size", "examples"}. Within the time of a
  // statement.
  absl::StatusOr<std::string> preview(const PreviewRequest& request);
  // {"segment" or "tag", "state", "version", "as_of", "live", "computed", "differences", "unexamined",
  // "examples": [{"customer_id", "live", "computed"}], "took_ms"} of a rule in force (docs/rules.md).
  absl::StatusOr<std::string> compare(const ComparisonRequest& request);

  // Nobody waits for the answer any more.
  void end();

 private:
  friend class Comparison;
  absl::Status begin();
  query::Session& session() { return *session_; }
  absl::StatusOr<RulesInForce> rules_in_force();
  absl::StatusOr<std::vector<CustomerId>> members(membership::RuleId rule);  // by id
  query::RuleQuestion question(const RulesInForce& rules, const rule::Definition& definition,
                               const BusinessZone& zone) const;
  // The cuts of numbers that the question's rule asks for and no rule in force does, by their keys; a pass
  // over the customers for each, within the time of a statement.
  absl::StatusOr<std::map<std::string, rule::Cuts, std::less<>>> measure(const RulesInForce& rules,
                                                                         const query::RuleQuestion& question);
  absl::StatusOr<std::string> with_identifiers(const std::vector<CustomerId>& customers);

  engine::Engine& engine_;
  query::Reader& reader_;
  std::mutex mutex_;
  bool ended_ = false;
  std::unique_ptr<query::Session> session_;
};

}  // namespace kehu::trial
