#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "aggregate/properties.h"
#include "aggregate/wire.h"
#include "profile/traits.h"

// What changes traits instead of setting them: $set_once, $add, $append, and $clear of all.
namespace kehu::profile {

struct TraitStep {
  enum class Kind : uint8_t { kOnce = 0, kAdd = 1, kAppend = 2 };

  NameId name;
  Stamp stamp;
  Kind kind = Kind::kOnce;
  Sum amount = 0;  // of kAdd
  std::string_view
      operand;  // JSON text; of kAppend an array; empty when something newer stands above a kOnce
};

// A trait is the value it was set to (Traits) and the steps behind it, in the order of their times. Of
// $set_once the first and the last are kept. Of the others the newest limits::kTraitSteps, with operands of
// limits::kTraitBytes in all: older ones become one step, and a set that comes later than all these but
// belongs between what became one stands below it. Up to there any order and any split give the same bytes.
//
// Views point into the section that was read, the steps that were added and the pool.
class TraitSteps {
 public:
  bool empty() const { return steps_.empty() && added_.empty() && !cleared_; }
  // By name, time, kind; what was added since is there after settle().
  const std::vector<TraitStep>& steps() const { return steps_; }
  absl::Span<const TraitStep> of(NameId name) const;
  const std::optional<Stamp>& cleared() const { return cleared_; }

  // True when the name had no steps before the last settle() or read().
  bool add(const TraitStep& step);
  // All that was written up to `stamp` is gone.
  void clear(Stamp stamp);
  void merge(const TraitSteps& other);
  // Brings both into their one form: drops what is superseded and what is beyond the limits. Before write.
  void settle(Traits& traits, aggregate::TextPool& pool);
  // False on damage.
  bool read(std::string_view section);
  void write(aggregate::WireBuffer& out) const;

 private:
  size_t end_of_name(size_t begin) const;
  void absorb_added();
  void settle_name(size_t begin, size_t end, std::optional<Stamp> lower, aggregate::TextPool& pool);
  void combine_oldest(std::vector<TraitStep>& steps, aggregate::TextPool& pool) const;
  void trim(Traits& traits);

  std::vector<TraitStep> steps_;
  std::vector<TraitStep> added_;  // unsorted: an event may bring thousands
  std::optional<Stamp> cleared_;
  std::vector<TraitStep> settled_;  // scratch
  std::vector<TraitStep> tail_;     // scratch
};

struct TraitValue {
  std::string text;  // JSON
  Stamp stamp;       // of the newest write in it
};

// What a trait is: `base` (nullptr when it was never set) and then its steps. nullopt when it has no value. A
// step that does not fit the value (a number added to a text) is passed over. A list holds each element once,
// and of more than limits::kTraitBytes the newest.
std::optional<TraitValue> value_of(const Trait* base, absl::Span<const TraitStep> steps,
                                   const std::optional<Stamp>& cleared);

}  // namespace kehu::profile
