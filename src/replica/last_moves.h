#pragma once

#include <algorithm>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/types/span.h"
#include "base/time.h"
#include "identity/resolution.h"
#include "lake/lake.h"

namespace kehu::replica {

// The moves of a stretch of the log that ends at `position`, as the archive keeps them. All have that one
// position, so of a part that moved more than once only the last move counts: whoever orders the table by
// position could not tell them apart.
inline std::vector<lake::Move> last_moves(absl::Span<const identity::Move> moves, Sequence position,
                                          Instant tick) {
  std::vector<lake::Move> kept;
  absl::flat_hash_set<Hash128> seen;
  for (size_t i = moves.size(); i-- > 0;) {
    if (!seen.insert(moves[i].part.hash).second) continue;
    kept.push_back({.sequence = position, .time = tick, .part = moves[i].part, .customer = moves[i].to});
  }
  std::reverse(kept.begin(), kept.end());
  return kept;
}

}  // namespace kehu::replica
