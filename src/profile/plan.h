#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "base/civil_day.h"
#include "json/fields.h"
#include "model/event.h"
#include "model/ids.h"
#include "model/settings.h"
#include "order/order_fields.h"

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

// What the settings mean for one event: compiled once, read by any number of threads. An event whose name no
// metric and no order step knows is folded without a look at its properties.
class Plan {
 public:
  // `sources` are those that the vocabulary may name; others have the project's.
  explicit Plan(const Settings& settings, absl::Span<const SourceName> sources = {});

  struct MetricRule {
    NameId id;
    Metric::Kind kind;
    std::string key;  // of a top-level property; empty when the path goes deeper
    json::FieldPath path;
    // Where an event in other words has it; tried in turn when the property itself is not there.
    std::vector<json::FieldPath> instead;
  };
  struct Rules {
    std::shared_ptr<const order::OrderWords> order;  // nullptr: no step of an order
    std::vector<MetricRule> metrics;
  };

  const BusinessZone& zone() const { return zone_; }
  // nullptr when the properties of such events do not matter.
  const Rules* rules(NameId counter_key, SourceId source) const;

 private:
  using Table = absl::flat_hash_map<uint64_t, Rules>;
  static Table compile(const Settings& settings, std::string_view source);

  BusinessZone zone_;
  Table rules_;
  absl::flat_hash_map<uint32_t, Table> of_source_;  // of sources with words of their own
};

}  // namespace kehu::profile
