#include "engine/checkpoints.h"

#include <chrono>

#include "os/thread_name.h"
#include "os/thread_priority.h"

// A checkpoint goes through four stages, of which the apply thread pays for none at once: freezing the list
// of dirty keys takes constant time, copying and evicting go in small steps between slices, and sorting and
// writing happen on a thread of their own.
//
// The order is what recovery rests on. The lake commits up to the position first, then the checkpoint is
// ingested, and only then may the log recycle what lies before it. So whatever a crash leaves, the log
// reaches back to the state, and replaying from the state's position gives the lake everything that it
// still lacks (docs/decisions/checkpoints.md).
namespace kehu::engine {
namespace {

// Behind a replay of so many records the first checkpoint does not wait for its period. A machine that went
// down every few seconds would replay them each time, and more.
constexpr uint64_t kLongReplay = 100'000;
// A checkpoint that failed is followed by the next one after this time.
constexpr Duration kPauseAfterFailure = Duration::seconds(1);
// An hour of records that only said that time went on is worth a checkpoint, since the log keeps them until
// there is one.
constexpr uint64_t kIdleRecords = 3600;

}  // namespace

Checkpoints::Checkpoints(World world, Options options, uint64_t replayed)
    : world_(world), options_(options), last_(world.clock.monotonic()) {
  if (replayed >= kLongReplay) last_ = last_ - options_.period;
}

void Checkpoints::step(size_t blobs) {
  switch (stage_) {
    case Stage::kIdle:
      if (!is_due(world_.clock.monotonic())) return;
      world_.replica.begin_checkpoint();
      stage_ = Stage::kCopying;
      return;
    case Stage::kCopying:
      if (world_.replica.copy_some(blobs)) start_writing();
      return;
    case Stage::kWriting:
      if (written_.wait_for(std::chrono::seconds(0)) == std::future_status::ready) end_writing();
      return;
    case Stage::kEvicting:
      if (world_.replica.stores().evict_some(blobs)) stage_ = Stage::kIdle;
      return;
  }
}

bool Checkpoints::is_due(Duration now) const {
  const Duration waited = now - last_;
  const bool full = world_.replica.stores().dirty_blobs() >= options_.dirty && waited >= pause_;
  if (!full && waited < options_.period) return false;
  return !given_up_ && has_work() && world_.lake.commit_health().ok();
}

bool Checkpoints::has_work() const {
  const Sequence position = world_.database.position();
  return world_.replica.last_work() > position ||
         world_.replica.applied().value() >= position.value() + kIdleRecords;
}

void Checkpoints::start_writing() {
  Replica::Checkpoint checkpoint = world_.replica.take_checkpoint();
  position_ = checkpoint.position;
  stage_ = Stage::kWriting;
  written_ = std::async(std::launch::async, [this, checkpoint = std::move(checkpoint)]() mutable {
    os::name_this_thread("kehu-state");
    os::lower_this_thread_priority();
    const trace::ActiveSpan span = trace::background(options_.tracer, "checkpoint");
    // The lake goes first: what recovery replays for the state must include what the lake still lacks.
    if (auto status = world_.lake.commit_up_to(checkpoint.position); !status.ok()) return status;
    const absl::Status status = world_.database.checkpoint(checkpoint.position, *checkpoint.changes);
    // They are freed here, because whoever takes the result would wait for hundreds of megabytes to be
    // freed.
    checkpoint.changes.reset();
    return status;
  });
}

// The period counts from the end of a checkpoint, so a slow disk is not given the next one at once.
void Checkpoints::end_writing() {
  const absl::Status status = written_.get();
  world_.replica.finish_checkpoint(status.ok());
  if (status.ok()) world_.log.protect(position_.next());
  world_.replica.stores().shrink_to(options_.memory_bytes);
  last_ = world_.clock.monotonic();
  pause_ = status.ok() ? Duration() : kPauseAfterFailure;
  stage_ = Stage::kEvicting;
  const std::lock_guard lock(mutex_);
  health_ = status;
}

absl::Status Checkpoints::finish() {
  if (stage_ == Stage::kWriting) end_writing();
  if (given_up_) return absl::OkStatus();
  if (stage_ == Stage::kCopying) abandon();
  if (world_.replica.applied() == world_.database.position()) return absl::OkStatus();
  world_.replica.begin_checkpoint();
  while (!world_.replica.copy_some(SIZE_MAX)) {
  }
  Replica::Checkpoint checkpoint = world_.replica.take_checkpoint();
  const absl::Status status = world_.database.checkpoint(checkpoint.position, *checkpoint.changes);
  world_.replica.finish_checkpoint(status.ok());
  return status;
}

// Drops the checkpoint that was being copied. It would be of an earlier position, and the next start would
// replay what came behind it.
void Checkpoints::abandon() {
  const Replica::Checkpoint begun = world_.replica.take_checkpoint();
  world_.replica.finish_checkpoint(false);
  stage_ = Stage::kIdle;
}

absl::Status Checkpoints::health() const {
  const std::lock_guard lock(mutex_);
  return health_;
}

}  // namespace kehu::engine
