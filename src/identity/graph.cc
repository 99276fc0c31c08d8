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

// Takes two rounds, since the key of a group is only known once the node that names its owner has been
// read. Most events stop behind the first round: their identifiers are all known in one customer, and such
// an event reads no group and writes nothing.
void Graph::prefetch(absl::Span<const Event* const> events) {
  std::vector<Hash128> node_keys, group_keys;
  for (const Event* event : events) keys(*event, node_keys);
  blobs_.prefetch_nodes(node_keys);
  for (const Event* event : events) group_keys_of(*event, group_keys);
  if (!group_keys.empty()) blobs_.prefetch_groups(group_keys);
}

// Appends the customers of an event that will join something, because it has more than one customer, or
// one and an identifier that is new. Appends nothing for others: their groups are not read. What earlier
// events of the same wave change meanwhile may make this guess wrong, which costs a slow read and never a
// wrong answer.
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
