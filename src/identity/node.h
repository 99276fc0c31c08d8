#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/event.h"
#include "model/ids.h"

namespace kehu::identity {

// A token changed hands.
struct Ownership {
  Sequence sequence;
  Instant at;  // the log's time: when the request arrived, or the tick; never goes back within one token
  CustomerId owner;
  bool operator==(const Ownership&) const = default;
};

// What is known of one token: a blob of the `nodes` store (docs/formats/identity.md).
struct Node {
  IdentifierTypeId type;
  bool shared = false;  // of several customers; never joins anything, lives in its own customer
  bool sealed = false;  // `value` is sealed bytes
  Standing standing = Standing::kFirm;
  CustomerId owner;
  Sequence first_seen;
  Instant first_time;      // event time
  Instant first_received;  // log time
  std::string value;
  // Other customers that this token would have joined but for a unique type; until it is shared.
  std::vector<CustomerId> conflicts;
  // All owners from the first on, oldest first; empty while there was only one.
  std::vector<Ownership> history;

  bool operator==(const Node&) const = default;

  // Sets the owner and remembers when. No effect when it is the owner already.
  void move_to(CustomerId to, Sequence sequence, Instant at);
};

void append_node(Token token, const Node& node, std::string& out);
// nullopt when the bytes are not a whole node of a known version.
std::optional<Node> parse_node(Token token, std::string_view bytes);

// The front of a node, all that most events need: read without decoding the rest.
struct NodeHead {
  IdentifierTypeId type;
  bool shared = false;
  Standing standing = Standing::kFirm;
  CustomerId owner;
};
std::optional<NodeHead> peek_node(Token token, std::string_view bytes);

}  // namespace kehu::identity
