#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "base/strong.h"
#include "json/fields.h"
#include "property/member_names.h"

// What is asked of the properties of events, and the one walk that finds it all.
namespace kehu::property {

// Where the values of a path are found once the properties are read (event_fields.h).
using Slot = Strong<struct SlotTag, uint32_t>;

// One step of paths, and what comes behind it.
class PathNode {
 public:
  // Of the path that ends here.
  const std::optional<Slot>& slot() const { return slot_; }
  // Of all paths that end here or lead on.
  absl::Span<const Slot> slots() const { return slots_; }
  bool has_members() const { return !members_.empty(); }
  bool has_elements() const { return elements_ != 0; }

 private:
  friend class PathTree;
  std::optional<Slot> slot_;
  std::vector<Slot> slots_;
  MemberNames members_;    // → nodes
  uint32_t elements_ = 0;  // the node of every element, or 0
};

// Paths into one object. Those that begin alike are grown together, so that a walk looks up each key once,
// however many paths lead through it. Built once, then read by any number of threads.
class PathTree {
 public:
  // The slot of the path: `slot`, unless it has one already.
  Slot add(const json::FieldPath& path, Slot slot);

  bool empty() const { return root().slots_.empty(); }
  // Different paths.
  uint32_t size() const { return static_cast<uint32_t>(root().slots_.size()); }
  // Greater than each slot.
  uint32_t slots_end() const { return slots_end_; }

  // The object itself.
  const PathNode& root() const { return nodes_[0]; }
  // nullptr when no path leads there.
  const PathNode* member(const PathNode& object, std::string_view key) const {
    const uint32_t node = object.members_.find(key);
    return node == 0 ? nullptr : &nodes_[node];
  }
  // Of a node that has elements.
  const PathNode& element(const PathNode& list) const { return nodes_[list.elements_]; }

 private:
  uint32_t step(uint32_t from, const json::FieldPath::Step& step);

  std::vector<PathNode> nodes_ = std::vector<PathNode>(1);
  uint32_t slots_end_ = 0;
};

}  // namespace kehu::property
