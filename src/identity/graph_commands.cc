#include <algorithm>

#include "base/text.h"
#include "identity/bounds.h"
#include "identity/graph.h"
#include "identity/partition.h"
#include "identity/rules.h"

namespace kehu::identity {
namespace {

std::string kept(std::string_view text) { return std::string(cut_utf8(text, kCommandTextBytes)); }

std::string names_of(const Settings& settings, const std::bitset<256>& types) {
  std::string names;
  for (size_t i = 0; i < settings.identifier_types.size(); ++i) {
    if (types.test(i)) names += cat(names.empty() ? "" : ", ", settings.identifier_types[i].name);
  }
  return names;
}

Link manual_link(const MergeCommand& command, Sequence sequence, Instant now) {
  Link link;
  link.a = command.winner;
  link.b = command.loser;
  link.kind = LinkKind::kManual;
  link.sequence = sequence;
  link.time = now;
  link.actor = kept(command.actor);
  link.reason = kept(command.reason);
  return link;
}

absl::Status not_usable(Token token, std::string_view what) {
  return failure(absl::StatusCode::kFailedPrecondition, "identifier ", token.hash.hex(), " ", what);
}

// Forgets that the two were taken apart, because the person who merges them now knows better. Separations
// are pairs of tokens kept on both sides, so both lists are gone through (docs/decisions/identity.md).
void forget_separations(Group& a, Group& b) {
  const auto forget = [](Group& from, const Group& other) {
    std::erase_if(from.separations, [&](const Separation& s) { return other.contains(s.other); });
  };
  forget(a, b);
  forget(b, a);
}

// Takes out the links of one record that an un-merge removes: those that joined customers, or all if none
// did. One event can make several links; what an operator undoes is the joining, not the new fingerprint
// that came with it (docs/decisions/identity.md).
std::vector<Link> remove_links(Group& group, Sequence sequence) {
  const auto joined = [&](const Link& link) {
    return link.sequence == sequence && !link.absorbed.hash.is_zero();
  };
  const bool any_joined = std::ranges::any_of(group.links, joined);
  const auto removed = [&](const Link& link) {
    return any_joined ? joined(link) : link.sequence == sequence;
  };
  std::vector<Link> links;
  std::ranges::copy_if(group.links, std::back_inserter(links), removed);
  std::erase_if(group.links, removed);
  return links;
}

std::vector<CustomerId> absorbed_by(const std::vector<Link>& links) {
  std::vector<CustomerId> ids;
  for (const Link& link : links) {
    if (!link.absorbed.hash.is_zero()) ids.push_back(link.absorbed);
  }
  return ids;
}

void separate(Group& group, Token own, Token other, const UnmergeCommand& command, Sequence sequence,
              Instant now) {
  group.separations.push_back({own, other, sequence, now, kept(command.actor), kept(command.reason)});
}

}  // namespace

// A person outranks the rules about evidence, so limits, weak types and earlier separations do not stop a
// merge. What stops it is what the state could not express afterwards: two values of a unique type, a
// shared identifier, or lists beyond their bounds. All that is checked before the first write, so a
// refused command changes nothing, and a replay refuses it again.
absl::StatusOr<Outcome> Graph::merge(const MergeCommand& command, Sequence sequence, Instant now) {
  const std::optional<NodeHead> winner_head = blobs_.head(command.winner);
  const std::optional<NodeHead> loser_head = blobs_.head(command.loser);
  if (!winner_head || !loser_head) {
    const Token unknown = winner_head ? command.loser : command.winner;
    return failure(absl::StatusCode::kNotFound, "identifier ", unknown.hash.hex(),
                   " was never seen; nothing was merged");
  }
  if (winner_head->shared || loser_head->shared) {
    return not_usable(winner_head->shared ? command.winner : command.loser,
                      "is shared by several customers and joins none; merge by another identifier");
  }
  if (winner_head->owner == loser_head->owner) {
    return failure(absl::StatusCode::kAlreadyExists, "both identifiers belong to customer ",
                   winner_head->owner.hash.hex(), " already");
  }
  Group winner = blobs_.group(winner_head->owner), loser = blobs_.group(loser_head->owner);
  const Verdict verdict = check_join(*settings_, winner.members, loser.members);
  if (verdict.conflicts.any()) {
    return failure(absl::StatusCode::kFailedPrecondition, "customers ", winner.id.hash.hex(), " and ",
                   loser.id.hash.hex(), " both have a ", names_of(*settings_, verdict.conflicts),
                   ", of which a customer has one; nothing was merged");
  }
  forget_separations(winner, loser);
  if (winner.members.size() + loser.members.size() > kTokensPerCustomer ||
      winner.separations.size() + loser.separations.size() > kSeparationsPerCustomer) {
    return failure(absl::StatusCode::kFailedPrecondition, "the merged customer would have more than ",
                   kTokensPerCustomer, " identifiers or ", kSeparationsPerCustomer,
                   " separations; nothing was merged");
  }
  Outcome outcome;
  Partition(*settings_, blobs_)
      .absorb(winner, loser, manual_link(command, sequence, now), {sequence, now}, outcome.moves);
  blobs_.put(winner);
  outcome.customers.push_back(winner.id);
  return outcome;
}

// Removing links leaves a forest of more trees, and each tree becomes a customer. Sides are preferably
// named after the customers that the links had absorbed, so that their former ids mean them again. Each
// removed link leaves a separation on either side: without it the next event with both identifiers would
// join them at once.
absl::StatusOr<Outcome> Graph::unmerge(const UnmergeCommand& command, Sequence sequence, Instant now) {
  const std::optional<CustomerId> customer = current(command.customer);
  if (!customer) {
    return failure(absl::StatusCode::kNotFound, "no customer was ever called ", command.customer.hash.hex());
  }
  Group group = blobs_.group(*customer);
  const std::vector<Link> removed = remove_links(group, command.link);
  if (removed.empty()) {
    return failure(absl::StatusCode::kNotFound, "customer ", customer->hash.hex(),
                   " has no link made by record ", command.link.value(),
                   "; its identities (`--view identities`) list the links");
  }
  if (group.separations.size() + 2 * removed.size() > kSeparationsPerCustomer) {
    return failure(absl::StatusCode::kFailedPrecondition, "customer ", customer->hash.hex(), " remembers ",
                   kSeparationsPerCustomer, " separations already; nothing was taken apart");
  }
  Outcome outcome;
  std::vector<Group> sides =
      Partition(*settings_, blobs_)
          .divide(std::move(group), absorbed_by(removed), {sequence, now}, outcome.moves);
  const CustomerId keeper = sides.front().id;
  for (const Link& link : removed) {
    for (Group& side : sides) {
      if (side.contains(link.a)) separate(side, link.a, link.b, command, sequence, now);
      if (side.contains(link.b)) separate(side, link.b, link.a, command, sequence, now);
    }
  }
  for (Group& side : absl::MakeSpan(sides).subspan(1)) {
    const Token name{side.id.hash};
    sides.front().remember(Change{ChangeKind::kSeparated, sequence, now, name, side.id});
    side.remember(Change{ChangeKind::kSeparated, sequence, now, name, keeper});
  }
  for (const Group& side : sides) {
    blobs_.put(side);
    outcome.customers.push_back(side.id);
  }
  return outcome;
}

}  // namespace kehu::identity
