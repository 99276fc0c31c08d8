#include "profile/plan.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "base/text.h"

namespace kehu::profile {
namespace {

constexpr std::pair<std::string_view, OrderStep> kOrderSteps[] = {
    {"Order Completed", OrderStep::kCompleted}, {"Order Updated", OrderStep::kUpdated},
    {"Order Refunded", OrderStep::kRefunded},   {"Order Cancelled", OrderStep::kCancelled},
    {"Order Line", OrderStep::kLine},
};

// A path of one plain step is looked up while walking the object once for all metrics.
std::string plain_key(const json::FieldPath& path) {
  return path.text().find_first_of(".[]\\\"") == std::string::npos ? path.text() : std::string();
}

}  // namespace

NameId counter_key(EventType type) { return NameId(static_cast<uint64_t>(type)); }

NameId counter_key(const Event& event) {
  return event.type == EventType::kTrack ? event.name_id() : counter_key(event.type);
}

NameId metric_id(const Metric& metric) {
  const char kind = static_cast<char>('0' + static_cast<int>(metric.kind));
  return name_id(cat(kind, "\n", metric.event, "\n", metric.property));
}

Plan::Plan(const Settings& settings) : zone_(settings.zone) {
  for (const auto& [name, step] : kOrderSteps) rules_[name_id(name).value()].order = step;
  for (const Metric& metric : settings.metrics) {
    auto path = json::FieldPath::parse(metric.property);
    if (!path.ok()) continue;
    const MetricRule rule{metric_id(metric), metric.kind, plain_key(*path), *path};
    add(rule, name_id(metric.event));
    for (const EventType type : {EventType::kPage, EventType::kScreen}) {
      if (metric.event == to_string(type)) add(rule, counter_key(type));
    }
  }
}

// A metric that is declared twice counts once.
void Plan::add(const MetricRule& rule, NameId counter_key) {
  std::vector<MetricRule>& metrics = rules_[counter_key.value()].metrics;
  const bool known =
      std::any_of(metrics.begin(), metrics.end(), [&](const MetricRule& r) { return r.id == rule.id; });
  if (!known) metrics.push_back(rule);
}

const Plan::Rules* Plan::rules(NameId counter_key) const {
  const auto found = rules_.find(counter_key.value());
  return found == rules_.end() ? nullptr : &found->second;
}

}  // namespace kehu::profile
