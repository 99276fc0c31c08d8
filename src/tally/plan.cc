#include "tally/plan.h"

#include <algorithm>

#include "base/text.h"

namespace kehu::tally {
namespace {

void insert_sorted(uint32_t index, std::vector<uint32_t>& list) {
  if (list.empty() || list.back() != index) list.push_back(index);
}

// One path has one slot, of whatever events.
Path common_path(std::string_view path, const std::vector<Counter::Selector>& selectors,
                 property::FieldPlan& fields) {
  Path common;
  for (const Counter::Selector& selector : selectors) {
    common = Path(path, selector.name, fields);
    if (selector.name.empty()) break;
  }
  return common;
}

}  // namespace

Plan::Plan(const std::vector<std::pair<TallyId, Spec>>& specs, property::FieldPlan& fields) {
  for (const auto& [id, spec] : specs) {
    Counter counter{.id = id, .spec = spec};
    if (auto zone = BusinessZone::load(spec.zone)) counter.zone = *zone;
    if (spec.kind == Kind::kSteps) {
      counter.pattern.emplace(spec.events, counter.zone);
      for (const rule::Node& step : spec.events.of) {
        counter.selectors.push_back(
            selector(step.op == rule::Op::kEvents ? step : step.of[0], counter, fields));
      }
      if (!spec.events.text.empty()) counter.key = common_path(spec.events.text, counter.selectors, fields);
    } else {
      counter.selectors.push_back(selector(spec.events, counter, fields));
      if (!spec.path.empty()) counter.value = Path(spec.path, counter.selectors[0].name, fields);
    }
    const uint32_t index = static_cast<uint32_t>(counters_.size());
    counters_.push_back(std::move(counter));
    if (id.value() >= index_.size()) index_.resize(id.value() + 1);
    index_[id.value()] = index + 1;
  }
  // Names first, so that each list has those of any event, too, in order.
  for (const Counter& counter : counters_) {
    for (const Counter::Selector& selector : counter.selectors) {
      if (!selector.name.empty()) by_name_.try_emplace(name_id(selector.name));
    }
  }
  for (uint32_t index = 0; index < counters_.size(); ++index) {
    for (const Counter::Selector& selector : counters_[index].selectors) {
      if (!selector.name.empty()) {
        insert_sorted(index, by_name_[name_id(selector.name)]);
        continue;
      }
      insert_sorted(index, any_);
      for (auto& [name, list] : by_name_) insert_sorted(index, list);
    }
  }
}

Counter::Selector Plan::selector(const rule::Node& events, const Counter& counter,
                                 property::FieldPlan& fields) {
  Counter::Selector selector{.name = events.text, .condition = {}};
  if (events.of.empty()) return selector;
  const std::string key = cat(counter.spec.zone, "\n", events.text, "\n", name_of(events.of[0]));
  const auto [at, is_new] = condition_numbers_.try_emplace(key, static_cast<uint32_t>(conditions_.size()));
  if (is_new) conditions_.emplace_back(events.of[0], events.text, counter.zone, fields);
  selector.condition = at->second;
  return selector;
}

absl::Span<const uint32_t> Plan::touched(const Event& event) const {
  if (event.type != EventType::kTrack) return any_;
  const auto at = by_name_.find(event.name_id());
  return at == by_name_.end() ? any_ : at->second;
}

}  // namespace kehu::tally
