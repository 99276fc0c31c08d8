#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "base/money.h"
#include "json/structurals.h"
#include "json/text.h"
#include "property/path_tree.h"

namespace kehu::property {

// A value that a path reached, as a view into the properties.
class FieldValue {
 public:
  FieldValue(const json::RawValue& raw, uint32_t element) : raw_(raw), element_(element) {}

  json::Kind kind() const { return raw_.kind; }
  const json::RawValue& raw() const { return raw_; }
  // Where the element begins, in the text, that the value is of: of the innermost list that the path takes
  // apart, or 0. Values of "products[].price" and "products[].category" that have it in common are of one
  // product, and "products[]" has one value for each.
  uint32_t element() const { return element_; }

 private:
  friend class EventFields;
  json::RawValue raw_;
  uint32_t element_;
  // What was read of it before.
  mutable bool has_number_ = false;
  mutable bool has_text_ = false;
  mutable std::optional<Decimal> number_;
  mutable std::string_view text_;
};

// What the properties of one event have at the paths of a tree. Reused from event to event: allocates only
// when an event has more values than any before. One thread, const or not.
//
// The meaning is that of json::FieldPath::visit: of a key that comes twice in an object the last counts, with
// all that is in it; a path through what is no object or no list leads nowhere.
class EventFields {
 public:
  // One walk over the text; nullptr: nobody asks, and it is not looked at. The text is a valid object, and is
  // kept by the caller as long as the values are used.
  void read(const PathTree* paths, std::string_view properties);

  // In the order of the text; of a path that takes no list apart, at most one. Empty: missing, as are slots
  // that were not asked of this event. Null is a value. Valid until the next read.
  absl::Span<const FieldValue> values(Slot slot) const {
    return slot.value() < slots_.size() ? slots_[slot.value()] : absl::Span<const FieldValue>();
  }

  // Of a JSON number, read once however often it is asked for; nullopt for other kinds, texts that read as
  // numbers among them, and beyond the range of Decimal.
  std::optional<Decimal> number(const FieldValue& value) const;
  // Of a string, without its escapes; empty for other kinds. Valid until the next read.
  std::string_view text(const FieldValue& value) const;

 private:
  class Walk;
  void add(Slot slot, const FieldValue& value);
  void forget(absl::Span<const Slot> slots, const char* from);

  json::Structurals structurals_;
  std::vector<std::vector<FieldValue>> slots_;
  std::vector<Slot> filled_;
  std::string key_;

  mutable std::deque<std::string> texts_;  // without their escapes; the first used_texts_ of this event
  mutable size_t used_texts_ = 0;
};

}  // namespace kehu::property
