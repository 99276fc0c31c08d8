#include "property/path_tree.h"

#include <algorithm>

namespace kehu::property {

// Every node on the way also learns the slot, so that a walk which meets a repeated key can forget in one
// go what was found anywhere below it.
Slot PathTree::add(const json::FieldPath& path, Slot slot) {
  std::vector<uint32_t> way = {0};
  for (const json::FieldPath::Step& each : path.steps()) way.push_back(step(way.back(), each));
  std::optional<Slot>& own = nodes_[way.back()].slot_;
  if (own) return *own;
  own = slot;
  for (const uint32_t node : way) nodes_[node].slots_.push_back(slot);
  slots_end_ = std::max(slots_end_, slot.value() + 1);
  return slot;
}

uint32_t PathTree::step(uint32_t from, const json::FieldPath::Step& step) {
  const bool each = step.key.empty();
  const uint32_t known = each ? nodes_[from].elements_ : nodes_[from].members_.find(step.key);
  if (known != 0) return known;
  const auto node = static_cast<uint32_t>(nodes_.size());
  nodes_.emplace_back();
  if (each) {
    nodes_[from].elements_ = node;
  } else {
    nodes_[from].members_.add(step.key, node);
  }
  return node;
}

}  // namespace kehu::property
