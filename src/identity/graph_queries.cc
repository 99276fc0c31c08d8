#include <algorithm>
#include <tuple>

#include "base/text.h"
#include "identity/forest.h"
#include "identity/graph.h"

namespace kehu::identity {
namespace {

absl::Status never_seen(Token token) {
  return failure(absl::StatusCode::kNotFound, "identifier ", token.hash.hex(), " was not seen by then");
}

// Gives the owner at a point that `at_or_before` orders entries by; `seen` says whether the token was seen
// by then. The history ascends by sequence and, because Node::move_to never lets its time go back, by time
// as well: so one binary search serves both. An empty history means that the token has had one owner only.
// A full one forgets its oldest entries, and then an honest error is better than the oldest owner that is
// still known.
template <class Before>
absl::StatusOr<CustomerId> owner_as_of(Token token, const Node& node, bool seen, Before at_or_before) {
  if (!seen) return never_seen(token);
  if (node.history.empty()) return node.owner;
  const auto after = std::ranges::partition_point(node.history, at_or_before);
  if (after == node.history.begin()) {
    return failure(absl::StatusCode::kOutOfRange, "identifier ", token.hash.hex(),
                   " changed hands too often since;", " its oldest known owner is as of record ",
                   node.history.front().sequence.value());
  }
  return std::prev(after)->owner;
}

}  // namespace

std::optional<CustomerId> Graph::customer_of(Token token) const {
  const std::optional<NodeHead> head = blobs_.head(token);
  if (!head) return std::nullopt;
  return head->owner;
}

// A customer is named after one of its tokens, and a token is never forgotten while it is firm: so a
// former id leads to the present customer by one read, and there is no registry of ids
// (docs/decisions/identity.md).
std::optional<CustomerId> Graph::current(CustomerId any) const { return customer_of(Token{any.hash}); }

absl::StatusOr<CustomerId> Graph::customer_as_of(Token token, Sequence when) const {
  const std::optional<Node> node = blobs_.node(token);
  if (!node) return never_seen(token);
  return owner_as_of(token, *node, node->first_seen <= when,
                     [&](const Ownership& entry) { return entry.sequence <= when; });
}

absl::StatusOr<CustomerId> Graph::customer_as_of(Token token, Instant when) const {
  const std::optional<Node> node = blobs_.node(token);
  if (!node) return never_seen(token);
  return owner_as_of(token, *node, node->first_received <= when,
                     [&](const Ownership& entry) { return entry.at <= when; });
}

std::vector<CustomerId> Graph::owners_of(Token token) const {
  const std::optional<Node> node = blobs_.node(token);
  if (!node) return {};
  std::vector<CustomerId> owners;
  for (const Ownership& entry : node->history) owners.push_back(entry.owner);
  if (owners.empty()) owners.push_back(node->owner);
  return owners;
}

std::vector<KnownIdentifier> Graph::identifiers_of(CustomerId customer) const {
  std::vector<KnownIdentifier> identifiers;
  const std::optional<Group> group = blobs_.find_group(customer);
  if (!group) return identifiers;
  for (const Member& member : group->members) {
    std::optional<Node> node = blobs_.node(member.token);
    if (!node) continue;  // it could not be read, which the store tells whoever owns it
    identifiers.push_back({member.token, node->type, node->shared, node->sealed, std::move(node->value),
                           node->first_seen, node->first_time});
  }
  std::ranges::sort(identifiers, {}, [&](const KnownIdentifier& known) {
    return std::tuple(settings_->rule(known.type).priority, known.first_seen, known.token);
  });
  return identifiers;
}

std::vector<Link> Graph::links(CustomerId customer) const {
  std::optional<Group> group = blobs_.find_group(customer);
  return group ? std::move(group->links) : std::vector<Link>();
}

std::vector<Separation> Graph::separations(CustomerId customer) const {
  std::optional<Group> group = blobs_.find_group(customer);
  return group ? std::move(group->separations) : std::vector<Separation>();
}

std::vector<Refusal> Graph::refusals(CustomerId customer) const {
  std::optional<Group> group = blobs_.find_group(customer);
  return group ? std::move(group->refusals) : std::vector<Refusal>();
}

std::vector<Change> Graph::history(CustomerId customer) const {
  std::optional<Group> group = blobs_.find_group(customer);
  return group ? std::move(group->changes) : std::vector<Change>();
}

// In a spanning forest there is one way between two tokens, and it is the reason why they are one
// customer.
absl::StatusOr<std::vector<Link>> Graph::explain(Token from, Token to) const {
  const std::optional<NodeHead> a = blobs_.head(from), b = blobs_.head(to);
  if (!a || !b) return never_seen(a ? to : from);
  if (a->owner != b->owner) {
    return failure(absl::StatusCode::kNotFound, "the identifiers belong to two customers, ",
                   a->owner.hash.hex(), " and ", b->owner.hash.hex());
  }
  return path(blobs_.group(a->owner).links, from, to);
}

}  // namespace kehu::identity
