#include "identity/blobs.h"

#include "base/check.h"

namespace kehu::identity {

std::optional<NodeHead> Blobs::checked_head(Token token, std::string_view bytes) {
  std::optional<NodeHead> head = peek_node(token, bytes);
  KEHU_CHECK(head.has_value());
  return head;
}

std::optional<Node> Blobs::node(Token token) const {
  const std::string_view bytes = nodes_.get(token.hash);
  if (bytes.empty()) return std::nullopt;
  std::optional<Node> node = parse_node(token, bytes);
  KEHU_CHECK(node.has_value());
  return node;
}

void Blobs::put(Token token, const Node& node) {
  scratch_.clear();
  append_node(token, node, scratch_);
  nodes_.put(token.hash, scratch_);
}

void Blobs::set_standing(Token token, Standing standing) {
  std::optional<Node> known = node(token);
  KEHU_CHECK(known.has_value());
  known->standing = standing;
  put(token, *known);
}

void Blobs::forget(Token token) { nodes_.erase(token.hash); }

void Blobs::move(Token token, CustomerId to, Sequence sequence, Instant at) {
  std::optional<Node> moved = node(token);
  KEHU_CHECK(moved.has_value());
  moved->move_to(to, sequence, at);
  put(token, *moved);
}

// A customer of one token with nothing to remember has no group, since its node says all there is. It is
// made up from the node, if the token still belongs to the customer that is named after it.
std::optional<Group> Blobs::find_group(CustomerId id) const {
  const std::string_view bytes = groups_.get(id.hash);
  if (!bytes.empty()) {
    std::optional<Group> group = parse_group(id, bytes);
    KEHU_CHECK(group.has_value());
    return group;
  }
  const Token name{id.hash};
  const std::optional<Node> only = node(name);
  if (!only || only->owner != id) return std::nullopt;
  Group group;
  group.id = id;
  group.members.push_back({name, only->type, only->first_seen, only->first_time, only->standing});
  return group;
}

Group Blobs::group(CustomerId id) const {
  std::optional<Group> group = find_group(id);
  KEHU_CHECK(group.has_value());
  return *std::move(group);
}

void Blobs::put(const Group& group) {
  if (group.is_plain()) return erase_group(group.id);
  scratch_.clear();
  append_group(group, scratch_);
  groups_.put(group.id.hash, scratch_);
}

void Blobs::erase_group(CustomerId id) {
  if (!groups_.get(id.hash).empty()) groups_.erase(id.hash);
}

}  // namespace kehu::identity
