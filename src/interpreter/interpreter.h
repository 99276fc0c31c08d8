#pragma once

#include <optional>
#include <string_view>

#include "absl/types/span.h"
#include "base/civil_day.h"
#include "base/time.h"
#include "json/text.h"
#include "model/event.h"
#include "rule/percentile.h"
#include "rule/tree.h"
#include "rule/value.h"

// What rules mean, written down as plainly as it can be: every answer is computed from all events of a
// customer. Slow on purpose, and never made faster: the evaluators that people wait for are compared with
// this one (docs/rules.md).
namespace kehu::interpreter {

// What a rule asks of a customer besides events.
class Facts {
 public:
  virtual ~Facts() = default;
  // A path into the traits as they are now.
  virtual std::optional<json::RawValue> trait(std::string_view path) const = 0;
  // All values of one that takes a list apart, in order.
  virtual void each_trait(std::string_view path,
                          absl::FunctionRef<void(const json::RawValue& value)> visit) const = 0;
  // Of the event that wrote a trait as it is; nullopt: there is no such trait.
  struct Origin {
    Instant time;
    std::string_view source;  // empty: nobody knows its name
  };
  virtual std::optional<Origin> origin(std::string_view trait) const = 0;
  virtual bool in_segment(std::string_view name) const = 0;
  virtual rule::Value tag(std::string_view name) const = 0;
  // Of an uploaded list; nullopt: the customer is not on it.
  virtual std::optional<rule::Value> list_value(std::string_view name) const = 0;
  virtual std::string_view source_name(SourceId source) const = 0;
  // Of a number by its key (rule/percentile.h); nullptr: it was never measured.
  virtual const rule::Cuts* cuts(std::string_view key) const = 0;
};

struct Moment {
  Instant now;
  BusinessZone zone;
};

// The expression's value for a customer with these events, in any order. The tree has passed rule::check().
rule::Value evaluate(const rule::Node& expression, absl::Span<const Event> events, const Facts& facts,
                     const Moment& moment);

}  // namespace kehu::interpreter
