#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "model/ids.h"
#include "replica/replica.h"

namespace kehu::replica {

// How far each of the three that make up a data directory has got. In order of durability the log is ahead of
// the archive, and the archive of the state, but for records that give it no row.
struct Positions {
  std::string directory;  // of the installation, for messages
  Sequence log_first;     // the log holds [log_first, log_end)
  Sequence log_end;
  Sequence state;
  ArchiveNeeds needs;                 // of the state
  Sequence archive_rows;              // all rows of `events` up to here are in the archive
  Sequence archive_moves;             // the same of `identity_log`
  Sequence archive_memberships = {};  // and of `segment_log`
};

// Whether log, state and archive belong together.
struct Fit {
  // Not OK: one of them was lost or is of another time, and going on would lose or hide events. Says what to
  // do.
  absl::Status status;
  // Otherwise the archive may lack rows that the log still holds, or moves that the state knows; both can be
  // put back.
  bool rows_missing = false;
  bool moves_missing = false;
  bool memberships_missing = false;  // and changes of segments and tags

  bool complete() const { return !rows_missing && !moves_missing && !memberships_missing; }
};
Fit fit_of(const Positions& positions);

}  // namespace kehu::replica
