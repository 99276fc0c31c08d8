#include "identity/resolver.h"

#include <algorithm>

#include "base/check.h"
#include "identity/bounds.h"

namespace kehu::identity {

// An event is resolved in three steps. collect() chooses which identifiers count and in which order they
// are tried, strongest first; the first of them is the part that the event is folded into. When all are
// known in one customer, which is the common case, nothing is written. Otherwise join_all() goes through
// them one by one and grows one group. Whatever the group objects to is left out of it, and never the
// other way round: the weakest is left out and not the newest, because a user who logs in on somebody's
// device must not give her events to a stranger (docs/decisions/identity.md). The result is a function of
// the event and the blobs alone.
Resolution Resolver::run() {
  collect();
  if (candidates_.empty()) return std::move(resolution_);
  raise_standings();
  resolution_.part = candidates_.front().identifier->token;
  if (one_known_customer()) {
    resolution_.customer = candidates_.front().head->owner;
  } else {
    join_all();
  }
  return std::move(resolution_);
}

void Resolver::collect() {
  bool previous = false, weak = false, shared = false, alternative = false;
  for (size_t i = 0; i < event_.identifiers.size(); ++i) {
    const Identifier& identifier = event_.identifiers[i];
    if (identifier.left_out != LeftOut::kNo || repeats_user_id(identifier)) continue;
    alternative |= identifier.alternative;
    if (identifier.alternative) continue;
    const auto is_same = [&](const Candidate& seen) { return seen.identifier->token == identifier.token; };
    if (std::ranges::any_of(candidates_, is_same)) continue;
    KEHU_CHECK(identifier.type.value() < settings_.identifier_types.size());
    candidates_.push_back({static_cast<uint8_t>(i), &identifier, blobs_.head(identifier.token)});
    previous |= identifier.previous;
    weak |= is_weak(candidates_.back());
    shared |= candidates_.back().head && candidates_.back().head->shared;
  }
  if (previous) choose_previous();
  if (alternative) choose_alternatives();
  if (shared) set_shared_aside();
  // A weak identifier is tried last whatever its priority: were it first, it could tie a newcomer to its own
  // customer, and the newcomer's stronger identifiers would then join that customer with theirs.
  // Not std::ranges's, which clang 14 cannot compile from libstdc++ 12.
  if (weak) {
    std::stable_partition(candidates_.begin(), candidates_.end(),
                          [&](const Candidate& c) { return !is_weak(c); });
  }
}

// alias(userId, previousId) of equal values names one user twice, and the door has to guess a type for the
// second. That guess must not become a visitor's id who has the name of a user. Sealed values cannot be
// compared and are left.
bool Resolver::repeats_user_id(const Identifier& identifier) const {
  if (!identifier.previous || identifier.sealed) return false;
  return std::ranges::any_of(event_.identifiers, [&](const Identifier& other) {
    return !other.previous && !other.alternative && !other.sealed && other.value == identifier.value;
  });
}

// A previous id may be known as one of several types. Those under which nobody knows it are guesses, of which
// only the weakest is worth a new token: the stronger ones are unique and would be refused.
void Resolver::choose_previous() {
  const auto is_previous = [](const Candidate& c) { return c.identifier->previous; };
  if (std::ranges::count_if(candidates_, is_previous) < 2) return;
  const bool known =
      std::ranges::any_of(candidates_, [](const Candidate& c) { return c.identifier->previous && c.head; });
  const uint8_t weakest = std::ranges::find_if(candidates_.rbegin(), candidates_.rend(), is_previous)->index;
  const auto is_guess = [&](const Candidate& c) {
    return c.identifier->previous && !c.head && (known || c.index != weakest);
  };
  candidates_.erase(std::remove_if(candidates_.begin(), candidates_.end(), is_guess), candidates_.end());
}

// A sender with one name space for users and visitors names an id as one of the two; where only the other
// is known, that is meant. An event that names nobody at all, only alternatives, belongs to the first that
// is known.
void Resolver::choose_alternatives() {
  const auto is_named = [](const Identifier& identifier) { return !identifier.alternative; };
  const bool names_nobody = std::ranges::none_of(event_.identifiers, is_named);
  for (size_t i = 0; i < event_.identifiers.size(); ++i) {
    const Identifier& identifier = event_.identifiers[i];
    if (!identifier.alternative || identifier.left_out != LeftOut::kNo) continue;
    if (!names_nobody) {
      add_known_alternative(i);
    } else if (candidates_.empty()) {
      const std::optional<NodeHead> head = blobs_.head(identifier.token);
      if (head) candidates_.push_back({static_cast<uint8_t>(i), &identifier, head});
    }
  }
  std::ranges::sort(candidates_, {}, &Candidate::index);
}

void Resolver::add_known_alternative(size_t index) {
  const Identifier& identifier = event_.identifiers[index];
  const auto named = std::ranges::find(candidates_, identifier.named, &Candidate::index);
  if (named == candidates_.end() || named->head) return;
  const std::optional<NodeHead> head = blobs_.head(identifier.token);
  if (!head || head->shared) return;
  const Candidate known{static_cast<uint8_t>(index), &identifier, head};
  // A user who was a visitor before is both from now on; in any other case there is nothing new to learn.
  const bool both = identifier.named < index && event_.type != EventType::kAlias;
  if (both) {
    candidates_.push_back(known);
  } else {
    *named = known;
  }
}

// An identifier that came with a server's call and is seen again was not made up for that call, so it
// becomes firm. An assumed user id becomes firm once somebody names it as one. Standings only rise: a firm
// identifier that is assumed again stays firm, or one careless sender could undo what others know.
void Resolver::raise_standings() {
  for (Candidate& candidate : candidates_) {
    if (!candidate.head || candidate.head->standing == Standing::kFirm) continue;
    const Identifier& identifier = *candidate.identifier;
    const bool named =
        identifier.standing != Standing::kAssumed && !identifier.previous && !identifier.alternative;
    if (candidate.head->standing == Standing::kAssumed && !named) continue;
    blobs_.set_standing(identifier.token, Standing::kFirm);
    Group group = blobs_.group(candidate.head->owner);
    std::ranges::find(group.members, identifier.token, &Member::token)->standing = Standing::kFirm;
    blobs_.put(group);
    candidate.head->standing = Standing::kFirm;
  }
}

Standing Resolver::standing_of(const Candidate& candidate) const {
  const bool alone = candidate.identifier->token == candidates_.front().identifier->token;
  const Standing standing = candidate.identifier->standing;
  return alone && standing == Standing::kPassing ? Standing::kFirm : standing;
}

// Passing identifiers were in one event only, so nothing hangs on them and they can be forgotten without a
// trace. The oldest go, so that a server which makes up an id for each call does not fill its customer up
// to the limit.
void Resolver::forget_passing() {
  const auto is_passing = [](const Member& member) { return member.standing == Standing::kPassing; };
  auto passing = std::ranges::count_if(group_->members, is_passing);
  for (; passing > static_cast<ptrdiff_t>(kPassingPerCustomer); --passing) {
    const Token oldest = std::ranges::find_if(group_->members, is_passing)->token;
    std::erase_if(group_->members, [&](const Member& member) { return member.token == oldest; });
    std::erase_if(group_->links, [&](const Link& link) { return link.a == oldest || link.b == oldest; });
    blobs_.forget(oldest);
  }
}

// Shared identifiers join nothing. An event that has no other kind still has to be somebody's: it goes to
// the customer of the strongest of them, which holds that token and no other.
void Resolver::set_shared_aside() {
  const auto is_shared = [](const Candidate& c) { return c.head && c.head->shared; };
  const bool only_shared = std::ranges::all_of(candidates_, is_shared);
  const auto usable = std::stable_partition(candidates_.begin() + (only_shared ? 1 : 0), candidates_.end(),
                                            [&](const Candidate& c) { return !is_shared(c); });
  for (auto candidate = usable; candidate != candidates_.end(); ++candidate) {
    resolution_.left_out.push_back({candidate->index, LeftOut::kShared});
  }
  candidates_.erase(usable, candidates_.end());
}

bool Resolver::one_known_customer() const {
  const std::optional<NodeHead>& first = candidates_.front().head;
  return first && std::ranges::all_of(candidates_, [&](const Candidate& candidate) {
           return candidate.head && candidate.head->owner == first->owner;
         });
}

// Conflicts are counted behind the write of the group, since counting one may take a token out of some
// customer and so read and write groups itself. Refusals are remembered on the group that the event ended
// up in.
void Resolver::join_all() {
  for (const Candidate& candidate : candidates_) {
    if (candidate.head) {
      join_known(candidate);
    } else {
      join_unknown(candidate);
    }
  }
  if (!group_) found_customer();
  resolution_.customer = group_->id;
  for (const Refusal& refusal : refusals_) group_changed_ |= group_->remember(refusal);
  if (group_changed_) blobs_.put(*group_);
  for (const Token token : conflicts_) count_conflict(token);
}

// A value that nobody has yet is checked like a customer of one member. A passing one that does not fit is
// left out without a trace, since it would have been forgotten anyway.
void Resolver::join_unknown(const Candidate& candidate) {
  const Member member = member_of(candidate);
  const absl::Span<const Member> present = group_ ? group_->members : absl::MakeConstSpan(newcomer_members_);
  const Verdict verdict = check_join(settings_, present, {&member, 1});
  if (!verdict.accepted() && member.standing == Standing::kPassing) {
    return resolution_.left_out.push_back({candidate.index, verdict.reason});
  }
  if (!verdict.accepted()) return refuse(candidate, verdict.reason);
  if (group_) {
    attach(candidate);
  } else {
    newcomers_.push_back(&candidate);
    newcomer_members_.push_back(member);
  }
}

void Resolver::join_known(const Candidate& candidate) {
  // It is looked up again, since an earlier identifier of this event may have moved it.
  const CustomerId owner = blobs_.head(candidate.identifier->token)->owner;
  if (!group_) {
    join_newcomers_to(blobs_.group(owner), candidate);
  } else if (owner != group_->id) {
    join_customers(candidate, owner);
  }
}

// The newcomers that were tried before the first known identifier come before it in strength. They join
// its customer all together or not at all: when a rule forbids it, the known one is left out, and the
// newcomers go on without it. That is the case of a new user on somebody's device.
void Resolver::join_newcomers_to(Group group, const Candidate& known) {
  const Verdict verdict = check_join(settings_, group.members, newcomer_members_);
  if (!verdict.accepted()) {
    note_conflict(known, verdict);
    return refuse(known, verdict.reason);
  }
  group_ = std::move(group);
  for (const Candidate* newcomer : newcomers_) {
    if (newcomer == newcomers_.front()) {
      add(*newcomer);
      group_->links.push_back(link_to(known));
    } else {
      attach(*newcomer);
    }
  }
}

// Why the two customers must not be one. A conflict of unique types is noted on the way, before the later
// reasons are looked at, because it is the evidence by which shared identifiers are found. Those of weak
// identifiers are not noted: they never join two customers anyway.
LeftOut Resolver::objection(const Candidate& candidate, const Group& other) {
  if (is_weak(candidate)) return LeftOut::kWeak;
  const Verdict verdict = check_join(settings_, group_->members, other.members);
  note_conflict(candidate, verdict);
  if (!verdict.accepted()) return verdict.reason;
  if (partition_.separated(*group_, other)) return LeftOut::kUnmerged;
  if (splits_too_often(*group_, other, event_.received_at)) return LeftOut::kLimit;
  const size_t separations = group_->separations.size() + other.separations.size();
  return separations > kSeparationsPerCustomer ? LeftOut::kLimit : LeftOut::kNo;
}

// The customer that keeps its id is chosen anew at each join and may be the other one: then the group in
// hand and the other are swapped, and the rest of the event goes on with the winner.
void Resolver::join_customers(const Candidate& candidate, CustomerId other_id) {
  Group other = blobs_.group(other_id);
  const LeftOut reason = objection(candidate, other);
  if (reason != LeftOut::kNo) return refuse(candidate, reason);
  if (outranks(settings_, other, *group_)) std::swap(*group_, other);
  partition_.absorb(*group_, other, link_to(candidate), {sequence_, event_.received_at}, resolution_.moves);
  group_changed_ = true;
}

void Resolver::found_customer() {
  group_.emplace();
  group_->id = CustomerId::named_after(resolution_.part);
  group_->members.reserve(newcomers_.size());
  group_->links.reserve(newcomers_.size() - 1);
  resolution_.new_customer = true;
  for (const Candidate* newcomer : newcomers_) {
    if (newcomer == newcomers_.front()) {
      add(*newcomer);
    } else {
      attach(*newcomer);
    }
  }
}

void Resolver::add(const Candidate& candidate) {
  const Identifier& identifier = *candidate.identifier;
  Node node;
  node.type = identifier.type;
  node.sealed = identifier.sealed;
  node.standing = standing_of(candidate);
  node.owner = group_->id;
  node.first_seen = sequence_;
  node.first_time = event_.time;
  node.first_received = event_.received_at;
  node.value = std::string(identifier.value);
  blobs_.put(identifier.token, node);
  group_->members.push_back(member_of(candidate));
  if (node.standing == Standing::kPassing) forget_passing();
  group_changed_ = true;
}

void Resolver::attach(const Candidate& candidate) {
  add(candidate);
  group_->links.push_back(link_to(candidate));
}

void Resolver::refuse(const Candidate& candidate, LeftOut reason) {
  resolution_.left_out.push_back({candidate.index, reason});
  refusals_.push_back({candidate.identifier->type, reason, sequence_, candidate.identifier->token});
}

// Two customers that a stronger type tells apart use this token, so it may be a device or an address of
// several. When its own type tells them apart it is a person's name for itself, and an alias of a stranger
// must not be able to take a user id away from its owner.
void Resolver::note_conflict(const Candidate& candidate, const Verdict& verdict) {
  if (verdict.reason != LeftOut::kUniqueConflict) return;
  if (!verdict.conflicts.test(candidate.identifier->type.value()))
    conflicts_.push_back(candidate.identifier->token);
}

// A token counts as shared when enough different customers conflicted about it. Each customer counts once,
// or two people who take turns at one tablet would reach the number by patience. A customer that owns the
// token by now has no conflict with it.
void Resolver::count_conflict(Token token) {
  std::optional<Node> node = blobs_.node(token);
  const size_t shared_after = static_cast<size_t>(std::max(0, settings_.rule(node->type).shared_after));
  const bool counted = std::ranges::find(node->conflicts, group_->id) != node->conflicts.end();
  if (shared_after == 0 || counted || node->owner == group_->id) return;
  node->conflicts.push_back(group_->id);
  blobs_.put(token, *node);
  if (node->conflicts.size() >= std::min(shared_after, kConflictsPerToken)) {
    partition_.take_out(token, {sequence_, event_.received_at}, resolution_.moves);
  }
}

Member Resolver::member_of(const Candidate& candidate) const {
  return {candidate.identifier->token, candidate.identifier->type, sequence_, event_.time,
          standing_of(candidate)};
}

Link Resolver::link_to(const Candidate& candidate) const {
  Link link;
  link.a = resolution_.part;
  link.b = candidate.identifier->token;
  const bool alias = event_.type == EventType::kAlias &&
                     (candidate.identifier->previous || candidates_.front().identifier->previous);
  link.kind = alias ? LinkKind::kAlias : LinkKind::kEvidence;
  link.sequence = sequence_;
  link.time = event_.time;
  link.source = event_.source;
  link.message_id = std::string(event_.message_id);
  return link;
}

}  // namespace kehu::identity
