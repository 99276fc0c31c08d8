#pragma once

#include <optional>
#include <string>

#include "absl/types/span.h"
#include "identity/group.h"
#include "identity/node.h"
#include "store/blob_store.h"

namespace kehu::identity {

// The two stores as values. Bytes that cannot be read are a bug of ours or of the store (which has
// checksums), so they end the program instead of giving a customer to a stranger.
class Blobs {
 public:
  Blobs(BlobStore& nodes, BlobStore& groups) : nodes_(nodes), groups_(groups) {}

  // nullopt: the token was never accepted.
  std::optional<NodeHead> head(Token token) const {
    const std::string_view bytes = nodes_.get(token.hash);
    return bytes.empty() ? std::nullopt : checked_head(token, bytes);
  }
  std::optional<Node> node(Token token) const;
  void put(Token token, const Node& node);
  void set_standing(Token token, Standing standing);
  void forget(Token token);
  void move(Token token, CustomerId to, Sequence sequence, Instant at);

  // nullopt: no customer has this id now. A customer of one token is made up from its node.
  std::optional<Group> find_group(CustomerId id) const;
  // Of a customer that exists.
  Group group(CustomerId id) const;
  void put(const Group& group);
  void erase_group(CustomerId id);

  void prefetch_nodes(absl::Span<const Hash128> keys) { nodes_.prefetch(keys); }
  void prefetch_groups(absl::Span<const Hash128> keys) { groups_.prefetch(keys); }

 private:
  static std::optional<NodeHead> checked_head(Token token, std::string_view bytes);

  BlobStore& nodes_;
  BlobStore& groups_;
  std::string scratch_;
};

}  // namespace kehu::identity
