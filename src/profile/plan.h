#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/civil_day.h"
#include "json/fields.h"
#include "model/event.h"
#include "model/ids.h"
#include "model/settings.h"

namespace kehu::profile {

// Names that no text has. Events other than track are counted under the number of their type.
inline constexpr NameId kOtherNames = NameId(0xffff'ffff'ffffULL);
NameId counter_key(EventType type);
NameId counter_key(const Event& event);

// A metric in a part: a hash of its kind, event and property, so that a part outlives changes of the
// settings.
NameId metric_id(const Metric& metric);

enum class OrderStep : uint8_t { kNone, kCompleted, kUpdated, kRefunded, kCancelled, kLine };

// What the settings mean for one event: compiled once, read by any number of threads. An event whose name no
// metric and no order step knows is folded without a look at its properties.
class Plan {
 public:
  explicit Plan(const Settings& settings);

  struct MetricRule {
    NameId id;
    Metric::Kind kind;
    std::string key;  // of a top-level property; empty when the path goes deeper
    json::FieldPath path;
  };
  struct Rules {
    OrderStep order = OrderStep::kNone;
    std::vector<MetricRule> metrics;
  };

  const BusinessZone& zone() const { return zone_; }
  // nullptr when the properties of such events do not matter.
  const Rules* rules(NameId counter_key) const;

 private:
  void add(const MetricRule& rule, NameId counter_key);

  BusinessZone zone_;
  absl::flat_hash_map<uint64_t, Rules> rules_;
};

}  // namespace kehu::profile
