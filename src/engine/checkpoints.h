#pragma once

#include <future>
#include <mutex>

#include "absl/status/status.h"
#include "base/time.h"
#include "engine/lake_thread.h"
#include "engine/log_thread.h"
#include "engine/words.h"
#include "os/clock.h"
#include "replica/replica.h"
#include "state/database.h"
#include "trace/tracer.h"

namespace kehu::engine {

// Writes the state to its database from time to time, without stopping whoever applies: a checkpoint is begun
// between two slices, copied in small steps between those that follow, and written by a thread of its own.
// docs/decisions/checkpoints.md. The apply thread's, but for health().
class Checkpoints {
 public:
  struct Options {
    size_t dirty = 1'000'000;                 // blobs; a checkpoint starts at this many…
    Duration period = Duration::seconds(30);  // …or after this time
    size_t memory_bytes = 4ull << 30;         // of the stores, behind one
    trace::Tracer* tracer = nullptr;
  };
  // All outlive it.
  struct World {
    Replica& replica;
    state::Database& database;
    LogThread& log;
    LakeThread& lake;
    os::Clock& clock;
  };
  // `replayed`: records that this start replayed. Behind many of them the first checkpoint comes at once.
  Checkpoints(World world, Options options, uint64_t replayed);

  // Does the next small piece, if there is one.
  // Copies, or looks at to drop them, at most so many blobs. Cheap when there is nothing to do.
  void step(size_t blobs);
  // A piece is waiting that has no reason to wait.
  bool busy() const { return stage_ == Stage::kCopying || stage_ == Stage::kEvicting; }
  // The state is that of no position any more.
  void give_up() { given_up_ = true; }

  // Behind the last record: writes what the database does not have, however much that is, in the place of one
  // that is being copied. ~3 s for a million blobs.
  absl::Status finish();

  // OK, or why the last one failed. Any thread.
  absl::Status health() const;

 private:
  enum class Stage { kIdle, kCopying, kWriting, kEvicting };

  bool is_due(Duration now) const;
  bool has_work() const;
  void start_writing();
  void end_writing();
  void abandon();

  World world_;
  Options options_;
  Stage stage_ = Stage::kIdle;
  bool given_up_ = false;
  Duration last_;
  Duration pause_;
  Sequence position_;  // of the one being written
  std::future<absl::Status> written_;
  mutable std::mutex mutex_;
  absl::Status health_;
};

}  // namespace kehu::engine
