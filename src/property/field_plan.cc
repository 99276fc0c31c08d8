#include "property/field_plan.h"

namespace kehu::property {

// A path has one slot whatever the event. Numbers by event would lie closer together, but a rule about
// three events would be compiled three times, and every reader would carry a table from events to slots. A
// source with words of its own has a tree that contains what is asked of all sources: so an event is
// walked once, by one tree, and a path for all sources is added to each of them
// (docs/decisions/event-fields.md).
Slot FieldPlan::want(const Events& events, const json::FieldPath& path) {
  const Slot slot = slots_.try_emplace(path.text(), static_cast<uint32_t>(slots_.size())).first->second;
  Trees& trees = trees_[events.name.value()];
  if (events.source) return own_tree(trees, *events.source).add(path, slot);
  for (auto& [source, tree] : trees.of_source) tree.add(path, slot);
  return trees.of_all.add(path, slot);
}

PathTree& FieldPlan::own_tree(Trees& trees, SourceId source) {
  for (auto& [id, tree] : trees.of_source) {
    if (id == source) return tree;
  }
  return trees.of_source.emplace_back(source, trees.of_all).second;
}

const PathTree* FieldPlan::of(NameId name, SourceId source) const {
  const auto found = trees_.find(name.value());
  if (found == trees_.end()) return nullptr;
  for (const auto& [id, tree] : found->second.of_source) {
    if (id == source) return &tree;
  }
  const PathTree& all = found->second.of_all;
  return all.empty() ? nullptr : &all;
}

}  // namespace kehu::property
