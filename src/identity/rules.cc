#include "identity/rules.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <vector>

#include "identity/bounds.h"

namespace kehu::identity {
namespace {

using Counts = std::array<uint16_t, 256>;

// Counts members by type, without those of the standing `without`.
Counts count_types(absl::Span<const Member> members, Standing without) {
  Counts counts{};
  for (const Member& member : members) {
    if (member.standing != without) ++counts[member.type.value()];
  }
  return counts;
}

struct Seen {
  Instant at;
  bool first_side;
};

// Slides a window of limit + 1 values over all values of both sides in the order of their times: the limit
// is passed where such a window is shorter than the period. Values that were within the limit on their own
// side stay so: only windows with values of both sides count. Otherwise a customer that a person made too
// large could never gain anything again. Windows of exactly limit + 1 are enough, since a longer one with
// both sides contains a neighbouring pair of either side, and so a shorter one that has both. First times
// are event times, so a late event or an import of three years in a minute is judged like living through
// them (docs/decisions/identity.md).
bool passes_limit(std::vector<Seen> seen, size_t limit, Duration period) {
  std::ranges::sort(seen, {}, &Seen::at);
  size_t of_first = 0;
  for (size_t end = 0, begin = 0; end < seen.size(); ++end) {
    of_first += seen[end].first_side;
    if (end - begin > limit) of_first -= seen[begin++].first_side;
    const bool full = end - begin == limit;
    const bool mixed = of_first > 0 && of_first <= limit;
    if (full && mixed && seen[end].at - seen[begin].at < period) return true;
  }
  return false;
}

std::vector<Seen> values_of(IdentifierTypeId type, absl::Span<const Member> a, absl::Span<const Member> b) {
  std::vector<Seen> seen;
  const auto counts = [type](const Member& member) {
    return member.type == type && member.standing != Standing::kPassing;
  };
  for (const Member& member : a) {
    if (counts(member)) seen.push_back({member.first_time, true});
  }
  for (const Member& member : b) {
    if (counts(member)) seen.push_back({member.first_time, false});
  }
  return seen;
}

}  // namespace

// Assumed values do not conflict, since a guess must not keep two customers apart; passing values do not
// count against a limit, since they are forgotten anyway. The exact look at a limit needs sorting, so it
// is taken only when the two counts together are beyond it.
Verdict check_join(const Settings& settings, absl::Span<const Member> a, absl::Span<const Member> b) {
  Verdict verdict;
  if (a.size() + b.size() > kTokensPerCustomer) verdict.reason = LeftOut::kLimit;
  const Counts in_a = count_types(a, Standing::kPassing), in_b = count_types(b, Standing::kPassing);
  const Counts certain_a = count_types(a, Standing::kAssumed), certain_b = count_types(b, Standing::kAssumed);
  for (size_t i = 0; i < settings.identifier_types.size(); ++i) {
    const IdentifierTypeId type(static_cast<uint8_t>(i));
    const IdentifierRule& rule = settings.rule(type);
    if (rule.unique && certain_a[i] > 0 && certain_b[i] > 0) verdict.conflicts.set(i);
    if (in_a[i] == 0 || in_b[i] == 0) continue;
    const size_t limit = rule.limit > 0 ? static_cast<size_t>(rule.limit) : kTokensPerCustomer;
    if (size_t{in_a[i]} + in_b[i] > limit && passes_limit(values_of(type, a, b), limit, rule.period)) {
      verdict.reason = LeftOut::kLimit;
    }
  }
  if (verdict.conflicts.any()) verdict.reason = LeftOut::kUniqueConflict;
  return verdict;
}

// Joining and parting two large customers moves all of one side each time, and whoever has a write key
// could send that for ever: a device that turns out to be shared costs five events for a thousand moves
// twice (docs/decisions/joins.md). Days are of the log's time, so a replay decides the same.
bool splits_too_often(const Group& a, const Group& b, Instant now) {
  if (std::min(a.members.size(), b.members.size()) < kLargeSide) return false;
  const auto is_recent_split = [now](const Change& change) {
    return change.kind == ChangeKind::kSplit && now - change.time < Duration::days(1);
  };
  const auto splits = [&](const Group& group) {
    return std::ranges::count_if(group.changes, is_recent_split);
  };
  return splits(a) + splits(b) >= kSplitsPerDay;
}

const Member& strongest(const Settings& settings, absl::Span<const Member> members) {
  return *std::ranges::min_element(members, {}, [&](const Member& member) {
    return std::tuple(settings.rule(member.type).priority, member.first_seen, member.token);
  });
}

// A stronger type wins whatever the sizes, because a visitor's customer becomes the user's. Among equal
// types the one with more identifiers wins, so that the smaller side moves: singles joined one by one then
// move one part each, and pairs in the worst order n log2 n. When whoever was seen first kept its id,
// singles joined in the reverse order of their first events moved 1 + 2 + … + 999
// (docs/decisions/joins.md). First sequence and id only break ties, so that the answer is the same in
// every replay.
bool outranks(const Settings& settings, const Group& a, const Group& b) {
  const auto rank = [&](const Group& group) {
    const Member& best = strongest(settings, group.members);
    const Sequence first = std::ranges::min_element(group.members, {}, &Member::first_seen)->first_seen;
    return std::tuple(settings.rule(best.type).priority, -static_cast<ptrdiff_t>(group.members.size()), first,
                      group.id);
  };
  return rank(a) < rank(b);
}

}  // namespace kehu::identity
