#include "identity/graph.h"

#include <algorithm>

#include "identity/resolver.h"

namespace kehu::identity {

Graph::Graph(const Settings& settings, BlobStore& nodes, BlobStore& groups)
    : settings_(&settings), blobs_(nodes, groups) {}

void Graph::keys(const Event& event, std::vector<Hash128>& node_keys) {
  for (const Identifier& identifier : event.identifiers) {
    if (identifier.left_out == LeftOut::kNo) node_keys.push_back(identifier.token.hash);
  }
}

void Graph::prefetch(absl::Span<const Event* const> events) {
  std::vector<Hash128> node_keys, group_keys;
  for (const Event* event : events) keys(*event, node_keys);
  blobs_.prefetch_nodes(node_keys);
  for (const Event* event : events) group_keys_of(*event, group_keys);
  if (!group_keys.empty()) blobs_.prefetch_groups(group_keys);
}

// The customers of an event that has more than one, or one and a new identifier.
void Graph::group_keys_of(const Event& event, std::vector<Hash128>& group_keys) const {
  const size_t before = group_keys.size();
  bool unknown = false;
  for (const Identifier& identifier : event.identifiers) {
    if (identifier.left_out != LeftOut::kNo) continue;
    const std::optional<NodeHead> head = blobs_.head(identifier.token);
    unknown |= !head;
    if (!head || head->shared) continue;
    if (std::find(group_keys.begin() + before, group_keys.end(), head->owner.hash) == group_keys.end()) {
      group_keys.push_back(head->owner.hash);
    }
  }
  if (!unknown && group_keys.size() == before + 1) group_keys.pop_back();
}

Resolution Graph::resolve(const Event& event, Sequence sequence) {
  return Resolver(*settings_, blobs_, event, sequence).run();
}

}  // namespace kehu::identity
