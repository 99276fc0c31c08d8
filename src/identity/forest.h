#pragma once

#include <cstddef>
#include <vector>

#include "absl/types/span.h"
#include "identity/group.h"

namespace kehu::identity {

// The connected components of members under links: positions of members, each ascending, in the order of
// their first. Links to tokens that are no members are ignored. O(members + links).
std::vector<std::vector<size_t>> components(absl::Span<const Member> members, absl::Span<const Link> links);

// The links on the way from one token to the other, in order; empty when there is none or they are the same.
std::vector<Link> path(absl::Span<const Link> links, Token from, Token to);

}  // namespace kehu::identity
