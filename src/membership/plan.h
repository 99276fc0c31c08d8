#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "base/civil_day.h"
#include "membership/program.h"
#include "membership/registry.h"
#include "property/field_plan.h"
#include "tally/plan.h"

namespace kehu::membership {

// What tells a version of a rule from all others, and how its values are written.
struct Label {
  rule::Kind kind = rule::Kind::kSegment;
  std::string name;
  Sequence version;
  BusinessZone zone = {};
};
using Labels = std::vector<Label>;

// What measurements call the results of a statement by.
std::string batch_key(const RuleVersion& version);

// All rules of a project, compiled once for each version of them, in an order in which each comes behind
// those that it names.
class Plan {
 public:
  Plan() = default;
  // Versions that name each other in a circle, or what is not there, take what they name for unknown:
  // admission has refused them. Tallies that are new begin to count behind `position`.
  Plan(std::vector<RuleVersion> versions, Registry& registry, Sequence position, property::FieldPlan& fields);

  struct Rule {
    RuleId id;
    RuleVersion version;
    Program program;
    Registry::State state = Registry::State::kLive;

    bool is_live() const { return state == Registry::State::kLive; }
    // Its tallies have counted everything, so that events and time may ask it.
    bool is_asked() const { return state != Registry::State::kWaiting; }
  };
  size_t size() const { return rules_.size(); }
  bool empty() const { return rules_.empty(); }
  const Rule& at(uint32_t index) const { return rules_[index]; }
  // nullopt: there is no such rule any more.
  std::optional<uint32_t> find(RuleId id) const {
    if (id.value() >= index_.size() || index_[id.value()] == 0) return std::nullopt;
    return index_[id.value()] - 1;
  }
  // The version in force; while there is none, the newest.
  std::optional<uint32_t> find(rule::Kind kind, std::string_view name) const;
  // By index. They outlive the plan with whoever keeps them, for what is read on other threads.
  const std::shared_ptr<const Labels>& labels() const { return labels_; }
  const tally::Plan& tallies() const { return tallies_; }
  // Rules that ask for the cuts of a number, or the one of a statement; those that wait too.
  std::vector<uint32_t> measuring(std::string_view key) const;
  // What programs over parts of these rules are compiled with: every tally of such a part is there.
  Program::Names names() const;

  // A rule that an event can change, and which way. Unless it is to be asked always: if the event has moved
  // one of its tallies, or a rule that it names.
  struct Touch {
    uint32_t rule = 0;
    Drift drift = Drift::kEither;
    bool always = false;
  };
  // By itself or through another rule; in order.
  absl::Span<const Touch> touched(const Event& event) const;
  // The same of the first event of a customer, who has to be asked for more: what is true of somebody without
  // events, or will be.
  absl::Span<const Touch> touched_first(const Event& event) const;
  // Those that name the rule, directly or through others; in order.
  const std::vector<uint32_t>& dependents(uint32_t index) const { return dependents_[index]; }
  // All; rules that wait for their tallies are in none of these lists.
  absl::Span<const uint32_t> all() const { return all_; }

 private:
  std::vector<uint32_t> with_dependents(std::vector<bool> touched) const;
  void index();
  void label();

  std::vector<Rule> rules_;
  std::shared_ptr<const Labels> labels_ = std::make_shared<Labels>();
  std::vector<uint32_t> index_;                      // by id: the rule's index from 1
  std::map<std::string, tally::TallyId> tally_ids_;  // by Spec::key()
  tally::Plan tallies_;
  // Of track events by name, and of all others; each with and without the rules that ask for traits, of
  // customers who are known and of those who are new.
  struct Lists {
    std::vector<Touch> plain;
    std::vector<Touch> with_traits;
    std::vector<Touch> first;
    std::vector<Touch> first_with_traits;
  };
  const Lists& lists(const Event& event) const;
  Lists lists_of(absl::Span<const uint32_t> tallies) const;
  void find_first_asked();
  absl::flat_hash_map<NameId, Lists> by_name_;
  Lists others_;
  std::vector<std::vector<uint32_t>> dependents_;
  std::vector<uint32_t> all_;
  std::vector<bool> first_asked_;  // by rule: it has to be asked of every new customer
};

}  // namespace kehu::membership
