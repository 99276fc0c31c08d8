#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "base/civil_day.h"
#include "model/event.h"
#include "model/ids.h"
#include "model/settings.h"
#include "order/order_fields.h"
#include "property/field_plan.h"

namespace kehu::profile {

NameId counter_key(EventType type);
NameId counter_key(const Event& event);

// A metric in a part: a hash of its kind, event and property, so that a part outlives changes of the
// settings.
NameId metric_id(const Metric& metric);

struct SourceName {
  SourceId id;
  std::string name;
};

// What the settings mean for one event: compiled once, read by any number of threads.
class Plan {
 public:
  // `sources` are those that the vocabulary may name; others have the project's. `fields` is what others ask
  // of events.
  explicit Plan(const Settings& settings, absl::Span<const SourceName> sources = {},
                property::FieldPlan fields = {});

  struct MetricRule {
    NameId id;
    Metric::Kind kind;
    // Where the property is, then where an event in other words has it: the first that is there counts.
    std::vector<property::Slot> slots;
  };
  struct Rules {
    std::shared_ptr<const order::OrderWords> order;  // nullptr: no step of an order
    std::vector<MetricRule> metrics;
  };

  const BusinessZone& zone() const { return zone_; }
  // What is asked of the event's properties, by these rules and by others; nullptr: nothing.
  const property::PathTree* fields(const Event& event) const;
  // nullptr when no rule looks at the properties of such events.
  const Rules* rules(NameId counter_key, SourceId source) const;

 private:
  using Table = absl::flat_hash_map<uint64_t, Rules>;
  Table compile(const Settings& settings, const SourceName* source);
  // `paths` is where such events may have the metric's property.
  void add_metric(const Metric& metric, absl::Span<const json::FieldPath> paths,
                  const property::Events& events, std::vector<MetricRule>& to);

  BusinessZone zone_;
  property::FieldPlan fields_;
  Table rules_;
  absl::flat_hash_map<uint32_t, Table> of_source_;  // of sources with words of their own
};

}  // namespace kehu::profile
