#include "identity/partition.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "base/check.h"
#include "identity/bounds.h"
#include "identity/forest.h"
#include "identity/rules.h"

namespace kehu::identity {
namespace {

// Merges two lists in log order into one and cuts it to its newest entries. Which of the two customers was
// the winner makes no difference to what is kept.
template <class T>
void merge_newest(std::vector<T>& into, const std::vector<T>& from, size_t most) {
  std::vector<T> all;
  std::ranges::merge(into, from, std::back_inserter(all), {}, &T::sequence, &T::sequence);
  if (all.size() > most) all.erase(all.begin(), all.end() - static_cast<ptrdiff_t>(most));
  into = std::move(all);
}

// Makes a group of each component: with its members, and with the links and separations that begin at
// them. No link leads from one side to another, or they would be one component; a separation may, and
// stays with its own token.
std::vector<Group> sides_of(const Group& group) {
  std::vector<Group> sides;
  absl::flat_hash_map<Token, size_t> side_of;
  for (const std::vector<size_t>& positions : components(group.members, group.links)) {
    for (const size_t position : positions) side_of.emplace(group.members[position].token, sides.size());
    sides.emplace_back();
  }
  for (const Member& member : group.members) sides[side_of.at(member.token)].members.push_back(member);
  for (const Link& link : group.links) sides[side_of.at(link.a)].links.push_back(link);
  for (const Separation& separation : group.separations) {
    sides[side_of.at(separation.own)].separations.push_back(separation);
  }
  return sides;
}

}  // namespace

// Both forests and the new link between them are again a forest, so links are only appended. Each member
// of the loser costs one node that is rewritten, while the members of the winner cost nothing. That is why
// joins by evidence make the larger customer the winner (docs/decisions/joins.md); a person's merge says
// itself which id is kept.
void Partition::absorb(Group& winner, const Group& loser, Link link, Cause cause, Moves& moves) {
  for (const Member& member : loser.members) {
    blobs_.move(member.token, winner.id, cause.sequence, cause.at);
    moves.push_back({member.token, loser.id, winner.id});
  }
  winner.members.insert(winner.members.end(), loser.members.begin(), loser.members.end());
  winner.links.insert(winner.links.end(), loser.links.begin(), loser.links.end());
  winner.separations.insert(winner.separations.end(), loser.separations.begin(), loser.separations.end());
  merge_newest(winner.refusals, loser.refusals, kRefusalsPerCustomer);
  merge_newest(winner.changes, loser.changes, kChangesPerCustomer);
  winner.remember(Change{ChangeKind::kJoined, cause.sequence, cause.at, link.b, loser.id});
  link.absorbed = loser.id;
  winner.links.push_back(std::move(link));
  blobs_.erase_group(loser.id);
}

// A customer contains the token it is named after, which makes ids unique without a registry
// (docs/decisions/identity.md). Only one side can contain the old name, and it keeps it, so nothing of
// that side has to move. The others get a name back that they had before, if there is one, since that id
// may be known outside.
CustomerId Partition::name_of(const Group& side, CustomerId old,
                              absl::Span<const CustomerId> preferred) const {
  if (side.contains(Token{old.hash})) return old;
  for (const CustomerId name : preferred) {
    if (side.contains(Token{name.hash})) return name;
  }
  return CustomerId::named_after(strongest(settings_, side.members).token);
}

// Refusals and changes name tokens and customers that may be on any side, so they are not divided: they
// stay with the side that goes on under the old id, or with the first where the token of that name has
// left.
std::vector<Group> Partition::divide(Group group, absl::Span<const CustomerId> preferred, Cause cause,
                                     Moves& moves) {
  std::vector<Group> sides = sides_of(group);
  for (Group& side : sides) side.id = name_of(side, group.id, preferred);
  const auto keeper = std::ranges::find(sides, group.id, &Group::id);
  if (keeper != sides.end()) std::rotate(sides.begin(), keeper, keeper + 1);
  sides.front().refusals = std::move(group.refusals);
  sides.front().changes = std::move(group.changes);
  for (Group& side : sides) {
    // A passing identifier is a companion of others. One that is alone now is all that its customer has,
    // so it becomes firm, and nothing forgets it any more.
    if (side.members.size() == 1 && side.members.front().standing == Standing::kPassing) {
      side.members.front().standing = Standing::kFirm;
      blobs_.set_standing(side.members.front().token, Standing::kFirm);
    }
    if (side.id == group.id) continue;
    for (const Member& member : side.members) {
      blobs_.move(member.token, side.id, cause.sequence, cause.at);
      moves.push_back({member.token, group.id, side.id});
    }
  }
  return sides;
}

// Compares the present owners of tokens and not ids of customers, since those change with every join: a
// separation holds whatever the two customers have become. It is kept on both sides, so looking at one
// side is enough.
bool Partition::separated(const Group& a, const Group& b) const {
  return std::ranges::any_of(a.separations, [&](const Separation& separation) {
    const std::optional<NodeHead> other = blobs_.head(separation.other);
    return other && other->owner == b.id;
  });
}

// The token becomes a customer of its own and joins nothing from now on. All its links go with it, the one
// that joined the most included: what was known only through a shared device was not known. The other
// members are then divided like after an un-merge, but without separations, because later evidence between
// them is welcome.
void Partition::take_out(Token token, Cause cause, Moves& moves) {
  std::optional<Node> node = blobs_.node(token);
  KEHU_CHECK(node.has_value());
  Group group = blobs_.group(node->owner);
  const CustomerId own = CustomerId::named_after(token);
  if (node->owner != own) moves.push_back({token, node->owner, own});
  node->shared = true;
  node->conflicts.clear();
  node->move_to(own, cause.sequence, cause.at);
  blobs_.put(token, *node);

  Group alone;
  alone.id = own;
  alone.members.push_back(*std::ranges::find(group.members, token, &Member::token));
  std::erase_if(group.members, [&](const Member& member) { return member.token == token; });
  std::erase_if(group.links, [&](const Link& link) { return link.a == token || link.b == token; });
  std::erase_if(group.separations, [&](const Separation& separation) { return separation.own == token; });
  if (group.members.empty()) return blobs_.put(alone);

  std::vector<Group> rest = divide(std::move(group), {}, cause, moves);
  const CustomerId kept = rest.front().id;
  rest.front().remember(Change{ChangeKind::kTakenOut, cause.sequence, cause.at, token, own});
  for (Group& side : absl::MakeSpan(rest).subspan(1)) {
    side.remember(Change{ChangeKind::kSplit, cause.sequence, cause.at, token, kept});
  }
  for (const Group& side : rest) blobs_.put(side);
  alone.remember(Change{ChangeKind::kTakenOut, cause.sequence, cause.at, token, kept});
  blobs_.put(alone);
}

}  // namespace kehu::identity
