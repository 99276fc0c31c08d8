#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "json/text.h"
#include "membership/members.h"
#include "membership/plan.h"
#include "tally/totals.h"

namespace kehu::membership {

// Somebody entered or left a segment, or got another value of a tag.
struct Change {
  RuleId rule;
  rule::Kind kind = rule::Kind::kSegment;
  Instant at;          // of the event that made it, or the moment at which time did
  rule::Value before;  // unknown: was not in, had none
  rule::Value after;   // unknown: left, has none
};

// What a part of a rule comes to for a customer.
struct Reason {
  const rule::Node* node = nullptr;  // of the rule's definition
  size_t depth = 0;                  // of the rule itself 0
  rule::Value value;
  Instant until;  // when time alone may change it; kLastInstant: never
};

// Texts of tags are cut here.
inline constexpr size_t kTagBytes = 256;

// Brings what one customer is by the rules up to date, from its tallies and traits. Keeps scratch memory: one
// per thread.
class Keeper final : private Asked {
 public:
  using TraitOf = absl::FunctionRef<rule::Value(rule::Op op, std::string_view path)>;
  using CutsOf = std::function<const rule::Cuts*(std::string_view key)>;

  // `cuts` says what was measured so far; without it nothing was.
  explicit Keeper(CutsOf cuts = {}) : cuts_(std::move(cuts)) {}

  // The customer at hand: the tallies of its parts. All are kept by the caller as long as it is asked for.
  void open(const Plan& plan, absl::Span<const std::string_view> tallies, Members& members);
  // The same of a customer of one part that `folder` has just made.
  void open(const Plan& plan, std::string_view tallies, const tally::Folder& folder, Members& members);

  // Lets time pass up to `now`: asks again whatever was due by then, at the moment when it was, so that the
  // changes are the same whether somebody looked at each moment or a day later.
  void advance(Instant now, TraitOf trait, std::vector<Change>& changes);
  // Those of the rules that an event touches which have to be asked, for these tallies have moved. No
  // customer need be open. Valid until the next call.
  absl::Span<const Plan::Touch> select(const Plan& plan, absl::Span<const Plan::Touch> touched,
                                       const std::vector<uint32_t>& moved);
  // Asks them, but for those whose truth the event cannot change.
  void touch(absl::Span<const Plan::Touch> rules, Instant now, TraitOf trait, std::vector<Change>& changes);
  // Asks these rules (of the plan, in order).
  void update(absl::Span<const uint32_t> rules, Instant now, TraitOf trait, std::vector<Change>& changes);
  // What a statement has come to for the customer, unknown: nothing; then asks the rules that name it.
  void put(uint32_t rule, rule::Value value, Instant now, TraitOf trait, std::vector<Change>& changes);
  // The customer takes in what another one had by a statement, if that is newer than what it has itself.
  void inherit(const Members::Entry& entry, Instant now, std::vector<Change>& changes);
  // Why a rule is what it is: the rule, and below it each condition and value that it is made of.
  std::vector<Reason> explain(const Plan::Rule& rule, Instant now, TraitOf trait);
  // Whether the tallies could be read, so far.
  absl::Status status() const;

 private:
  Instant now() const override { return now_; }
  tally::Totals& totals() override { return totals_; }
  rule::Value trait(rule::Op op, std::string_view path) override { return (*trait_)(op, path); }
  rule::Value result(uint32_t rule) override;
  const rule::Cuts* cuts(std::string_view key) override { return cuts_ ? cuts_(key) : nullptr; }

  void ask(const Plan::Rule& rule, std::vector<Change>& changes);
  void note(const Plan::Rule& rule, rule::Value value, std::vector<Change>& changes);

  const CutsOf cuts_;
  const Plan* plan_ = nullptr;
  Members* members_ = nullptr;
  tally::Totals totals_;
  std::vector<uint32_t> due_rules_;
  std::vector<Plan::Touch> selected_;
  std::vector<bool> marks_;  // by rule: it is selected
  std::vector<bool> moved_;  // by tally: it has moved
  const TraitOf* trait_ = nullptr;
  Instant now_;
};

}  // namespace kehu::membership
