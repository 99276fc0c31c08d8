#pragma once

#include <bitset>

#include "absl/types/span.h"
#include "identity/group.h"
#include "model/event.h"
#include "model/settings.h"

namespace kehu::identity {

// May these tokens be one customer? Reads values, changes nothing.
struct Verdict {
  LeftOut reason = LeftOut::kNo;
  // Every unique type of which both sides have a value; not empty exactly when the reason is kUniqueConflict.
  std::bitset<256> conflicts;
  bool accepted() const { return reason == LeftOut::kNo; }
};

// Checks uniqueness, limits and the size of the result. A limit is passed when any period of its length,
// wherever in time, would hold more first-seen values of the type, some of them from each side; late events
// change nothing about that. A limit of 0 or less is none. O((n + m) log(n + m)).
Verdict check_join(const Settings& settings, absl::Span<const Member> a, absl::Span<const Member> b);

// True when `a` is the customer that keeps its id: it has the identifier of the strongest type; if both have,
// it has more identifiers, since all of the other have to move; if as many, it was seen first; if in one
// record, it has the smaller id.
bool outranks(const Settings& settings, const Group& a, const Group& b);

// True when joins of these two are not worth their cost: both are large, and shared values that had joined
// them were taken out again so often within a day that the next one is not to be believed.
bool splits_too_often(const Group& a, const Group& b, Instant now);

// The member after whom these would be named: strongest type, then first seen, then smallest token.
const Member& strongest(const Settings& settings, absl::Span<const Member> members);

}  // namespace kehu::identity
