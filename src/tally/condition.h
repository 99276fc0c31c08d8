#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "base/civil_day.h"
#include "json/fields.h"
#include "model/event.h"
#include "property/event_fields.h"
#include "property/field_plan.h"
#include "rule/tree.h"
#include "rule/value.h"
#include "text/pattern.h"

namespace kehu::tally {

// An event as conditions see it.
struct Seen {
  const Event& event;
  const property::EventFields& fields;  // read by the plan that the conditions were compiled with
  std::string_view source;              // its name
};

// The values of an event's channel or source (nodes.h's paths).
rule::Value text_of_event(rule::Op op, const Seen& seen);

// Where a path's values are found: in the slots of the one walk, or, of selectors that take any event, by a
// walk of its own.
class Path {
 public:
  Path() = default;
  Path(std::string_view path, std::string_view event, property::FieldPlan& fields);

  // Stops when `visit` answers true, and answers that. Null, objects and lists are unknown.
  bool any(const Seen& seen, absl::FunctionRef<bool(const rule::Value&)> visit) const;

 private:
  std::optional<rule::Op> of_event_;  // its channel or its source, instead of a property
  std::optional<property::Slot> slot_;
  std::optional<json::FieldPath> path_;
};

// A condition behind `where`, compiled: whether an event counts. Depends on nothing but the event.
class Condition {
 public:
  // Asks `fields` for what it needs of events of this name; empty: any.
  Condition(const rule::Node& node, std::string_view event, const BusinessZone& zone,
            property::FieldPlan& fields);

  bool holds(const Seen& seen) const;

 private:
  struct Step {
    rule::Op op;
    rule::Type type = rule::Type::kText;  // what the step before it is compared with it as
    rule::Value constant = {};
    rule::Span span = {};
    Path path = {};
    std::optional<text::Pattern> pattern = {};
    std::vector<Step> of = {};
  };
  using Visit = absl::FunctionRef<bool(const rule::Value&)>;

  Step compile(const rule::Node& node, std::string_view event, property::FieldPlan& fields) const;
  bool holds(const Step& step, const Seen& seen) const;
  bool any_value(const Step& step, const Seen& seen, Visit visit) const;
  bool any_sum(const Step& step, const Seen& seen, Visit visit) const;
  rule::Value band(const Step& step, const rule::Value& value) const;
  bool compares(const Step& step, const Seen& seen) const;
  bool is_between(const Step& step, const Seen& seen) const;
  bool matches(const Step& step, const Seen& seen) const;

  BusinessZone zone_;
  Step root_;
};

}  // namespace kehu::tally
