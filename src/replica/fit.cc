#include "replica/fit.h"

#include <algorithm>

#include "base/text.h"

// Log, state and archive are each sound by their own checksums, and may still be of another day than the
// others. Going on then would lose events without a word. Behind is repaired, ahead is refused: what the
// archive lacks is in the log or it is not, while an archive beyond the log cannot be mended without
// choosing which acknowledged events to forget, and a person chooses that (docs/decisions/fit.md).
namespace kehu::replica {
namespace {

absl::Status state_ahead(const Positions& at) {
  return failure(absl::StatusCode::kDataLoss, "the log in ", at.directory, "/log ends at record ",
                 at.log_end.value() - 1, " but the state is at ", at.state.value(),
                 ": the log was lost or is of another installation; restore it from a backup");
}

absl::Status log_begins_late(const Positions& at) {
  return failure(absl::StatusCode::kDataLoss, "the log in ", at.directory, "/log begins at record ",
                 at.log_first.value(), ", but the state needs it from record ", at.state.value() + 1,
                 ": the state was lost or is of another time; restore ", at.directory, " from a backup");
}

Sequence archive_position(const Positions& at) {
  return std::max({at.archive_rows, at.archive_moves, at.archive_memberships});
}

// New records would get the numbers of rows that are there already: the archive would pass over them, for
// ever and without a word.
absl::Status archive_ahead(const Positions& at) {
  const Sequence archive = archive_position(at);
  const std::string way = at.log_first == Sequence(1)
                              ? cat("Without one, move ", at.directory,
                                    "/lake aside: the next start makes the archive anew from the log")
                              : cat("Without one, put a lake/ in its place that is at a record between ",
                                    at.log_first.value() - 1, " and ", at.log_end.value() - 1,
                                    ": the next start adds what it lacks from the log");
  return failure(absl::StatusCode::kDataLoss, "the archive in ", at.directory, "/lake is at record ",
                 archive.value(), " but the log in ", at.directory, "/log ends at record ",
                 at.log_end.value() - 1,
                 ": the end of the log was lost, or one of the two is of another time. Restore the directory "
                 "from a backup. ",
                 way);
}

absl::Status rows_lost(const Positions& at) {
  return failure(absl::StatusCode::kDataLoss, "the archive in ", at.directory, "/lake is at record ",
                 at.archive_rows.value(), " but the state had archived up to record ", at.needs.rows.value(),
                 ", and the log holds only records from ", at.log_first.value(),
                 " on, so nothing can fill the gap: restore ", at.directory,
                 "/lake from a backup that is at record ", at.log_first.value() - 1, " or later");
}

}  // namespace

// The order of the questions is that of their weight: a state beyond the log, or one that the log does not
// reach back to, makes every answer about the archive meaningless.
Fit fit_of(const Positions& at) {
  Fit fit;
  if (at.state >= at.log_end) {
    fit.status = state_ahead(at);
  } else if (at.log_first > at.state.next()) {
    fit.status = log_begins_late(at);
  } else if (archive_position(at) >= at.log_end) {
    fit.status = archive_ahead(at);
  } else {
    fit.rows_missing = at.archive_rows < at.needs.rows;
    fit.moves_missing = at.archive_moves < at.needs.moves;
    fit.memberships_missing = at.archive_memberships < at.needs.memberships;
    if (fit.rows_missing && at.log_first > at.archive_rows.next()) fit.status = rows_lost(at);
  }
  return fit;
}

}  // namespace kehu::replica
