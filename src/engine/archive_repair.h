#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "directory/data_directory.h"
#include "engine/words.h"
#include "lake/lake.h"
#include "os/clock.h"
#include "os/file_system.h"
#include "replica/fit.h"
#include "seal/key_ring.h"
#include "state/database.h"

namespace kehu::engine {

class PartOwners;

// Puts back what the archive lacks of the records up to the state's position (fit.h). At a start, before
// anything is replayed.
//
// While the log still begins with record 1 the whole state is made again in memory beside the real one, which
// gives every row and move exactly as the first time. Later the rows are worked out from the state as it is
// now: they get the customer who has their part today, and lost moves are written as one move of each part
// that is elsewhere than its rows say.
class ArchiveRepair {
 public:
  struct Sources {
    os::FileSystem& files;
    os::Clock& clock;
    const DataDirectory& directory;
    state::Database& database;
    seal::KeyRing& ring;
    lake::Lake& lake;
    std::function<void(uint64_t)> progress;  // with the records read so far
  };
  explicit ArchiveRepair(Sources sources) : in_(std::move(sources)) {}

  absl::Status run(const Fit& fit, Sequence log_first);

 private:
  absl::Status replay_from_the_start();
  absl::Status replay_into(Replica& replica, Sequence up_to);
  absl::Status archive_slice(Replica& replica, absl::Span<const shard::LogRecord> slice, Instant tick);
  absl::Status append_rows(Sequence up_to);
  absl::Status work_out(const Fit& fit);
  absl::Status work_out_rows(Replica& replica, const PartOwners& owners);

  Sources in_;
  shard::Effects effects_;
  std::vector<lake::Row> rows_;
};

// What the archive should hold when the state was written by a kehu that did not keep it: read from the
// records behind the archive's position that the log still has.
absl::StatusOr<ArchiveNeeds> needs_by_log(os::FileSystem& files, const std::string& log_directory,
                                          const Positions& at);

// Where the state is made again; empty but for the time of a repair.
inline constexpr char kRepairFolder[] = "again";

}  // namespace kehu::engine
