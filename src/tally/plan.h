#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "base/civil_day.h"
#include "model/ids.h"
#include "property/field_plan.h"
#include "tally/condition.h"
#include "tally/spec.h"
#include "tally/steps.h"

namespace kehu::tally {

// One tally, compiled.
struct Counter {
  TallyId id;
  Spec spec;
  BusinessZone zone = {};
  // Which events count: those of the spec; of a sequence those of each step.
  struct Selector {
    std::string name;                   // empty: any event
    std::optional<uint32_t> condition;  // its number in the plan
  };
  std::vector<Selector> selectors = {};
  Path value = {};  // of the spec's path
  Path key = {};    // of what a sequence's events have in common
  std::optional<Pattern> pattern = {};
};

// All tallies of a project: compiled once for each version of its rules, then read by any number of threads.
class Plan {
 public:
  Plan() = default;
  // Asks `fields` for the properties that they look at. The specs are in the order of their ids.
  Plan(const std::vector<std::pair<TallyId, Spec>>& specs, property::FieldPlan& fields);

  size_t size() const { return counters_.size(); }
  bool empty() const { return counters_.empty(); }
  const Counter& at(uint32_t index) const { return counters_[index]; }
  // nullopt: nobody asks for it any more.
  std::optional<uint32_t> find(TallyId id) const {
    if (id.value() >= index_.size() || index_[id.value()] == 0) return std::nullopt;
    return index_[id.value()] - 1;
  }

  // Those that events of this name may count for, in the order of their ids.
  absl::Span<const uint32_t> touched(const Event& event) const;
  // The same for each name that is asked for, and for all other events.
  const absl::flat_hash_map<NameId, std::vector<uint32_t>>& by_name() const { return by_name_; }
  absl::Span<const uint32_t> of_any() const { return any_; }
  const Condition& condition(uint32_t number) const { return conditions_[number]; }
  size_t conditions() const { return conditions_.size(); }

 private:
  Counter::Selector selector(const rule::Node& events, const Counter& counter, property::FieldPlan& fields);

  std::vector<Counter> counters_;
  std::vector<uint32_t> index_;  // by id: the counter's index from 1
  std::vector<Condition> conditions_;
  absl::flat_hash_map<std::string, uint32_t> condition_numbers_;  // by zone, event and text
  absl::flat_hash_map<NameId, std::vector<uint32_t>> by_name_;
  std::vector<uint32_t> any_;
};

}  // namespace kehu::tally
