#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "identity/link.h"
#include "model/ids.h"

namespace kehu::identity {

// A token of a customer.
struct Member {
  Token token;
  IdentifierTypeId type;
  Sequence first_seen;  // of the token, wherever it was then
  Instant first_time;   // event time of the first event with the token: what limits count
  Standing standing = Standing::kFirm;
  bool operator==(const Member&) const = default;
};

// A customer: its tokens and why they are one. A blob of the `groups` store (docs/formats/identity.md), which
// has no entry for a customer of one token with nothing to remember.
struct Group {
  CustomerId id;
  std::vector<Member> members;
  std::vector<Link> links;  // a spanning forest: one link fewer than members
  std::vector<Separation> separations;
  std::vector<Refusal> refusals;
  std::vector<Change> changes;

  bool operator==(const Group&) const = default;

  bool contains(Token token) const;
  bool is_plain() const {
    return members.size() < 2 && separations.empty() && refusals.empty() && changes.empty();
  }
  // False when the same refusal is known already.
  bool remember(const Refusal& refusal);
  void remember(const Change& change);
};

void append_group(const Group& group, std::string& out);
// nullopt when the bytes are not a whole group of a known version.
std::optional<Group> parse_group(CustomerId id, std::string_view bytes);

}  // namespace kehu::identity
