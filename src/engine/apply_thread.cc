#include "engine/apply_thread.h"

#include "engine/archive_rows.h"
#include "engine/words.h"
#include "os/thread_name.h"
#include "replica/last_moves.h"

namespace kehu::engine {
namespace {

constexpr size_t kQueueBytes = 8u << 20;
constexpr Duration kPatience = Duration::millis(100);
constexpr Duration kPatienceOfCheckpoint = Duration::millis(1);
// Blobs that a checkpoint copies while nothing waits to be applied: about 0.3 ms, for which the next event
// waits…
constexpr size_t kBlobsOfPause = 512;
// …and behind each event of a batch, so that it ends under any load. With 2,048 behind each batch, events of
// 100,000 a second waited up to 1.2 s, because copying took longer than the time between two batches.
constexpr size_t kBlobsOfEvent = 2;

}  // namespace

ArchiveBatch archive_of(const DurableBatch& batch, absl::Span<const shard::LogRecord> slice,
                        const shard::Effects& effects) {
  const size_t size = batch.size * slice.size() / batch.records.size();
  ArchiveBatch out{.last = slice.back().sequence,
                   .events = {},
                   .moves = {},
                   .rows = {},
                   .bytes = batch.bytes,
                   .size = size};
  out.events.reserve(effects.events.size());
  size_t record = 0;
  for (const shard::Applied& applied : effects.events) {
    while (slice[record].sequence < applied.sequence) ++record;
    out.events.push_back({applied.sequence, applied.customer, applied.part, slice[record].payload});
  }
  out.moves = last_moves(effects.moves, out.last, batch.tick);
  out.rows = archive_rows(effects);
  return out;
}

ApplyThread::ApplyThread(World world, Options options)
    : world_(world), options_(options), queue_(kQueueBytes), applied_(world.replica.applied().value()) {}

ApplyThread::~ApplyThread() {
  if (thread_.joinable()) stop();
}

void ApplyThread::start() {
  set_agenda();
  thread_ = std::thread([this] { run(); });
}

void ApplyThread::push(DurableBatch batch) {
  const size_t size = batch.size;
  queue_.push(std::move(batch), size);
}

void ApplyThread::stop() {
  queue_.close();
  thread_.join();
}

void ApplyThread::set_observer(Observer observer) {
  const std::lock_guard lock(observer_mutex_);
  observer_ = std::move(observer);
}

void ApplyThread::run() {
  os::name_this_thread("kehu-apply");
  while (!queue_.closed_and_empty()) {
    auto batch = queue_.pop(world_.checkpoints.busy() ? kPatienceOfCheckpoint : kPatience);
    if (batch) {
      apply(*batch);
      batch->applying.clear();
    }
    world_.looks.run(world_.replica);
    if (options_.archives) world_.checkpoints.step(batch ? 0 : kBlobsOfPause);
  }
  world_.looks.run(world_.replica);
  world_.looks.close();
  world_.commands.close(absl::UnavailableError("the server is stopping"));
}

void ApplyThread::apply(const DurableBatch& batch) {
  const absl::Span<const shard::LogRecord> records(batch.records);
  for (size_t done = 0; done < records.size(); done += kSlice) {
    const auto slice = records.subspan(done, kSlice);
    if (!apply_slice(batch, slice)) return;
    world_.looks.run(world_.replica);
    if (world_.checkpoints.busy()) world_.checkpoints.step(kBlobsOfEvent * slice.size());
  }
}

bool ApplyThread::apply_slice(const DurableBatch& batch, absl::Span<const shard::LogRecord> slice) {
  if (failed_) return false;
  effects_.clear();
  if (auto status = world_.replica.apply(slice, batch.tick, effects_); !status.ok()) {
    fail(status);
    return false;
  }
  applied_.store(world_.replica.applied().value(), std::memory_order_release);
  set_agenda();
  hand_on(batch, slice);
  return true;
}

void ApplyThread::hand_on(const DurableBatch& batch, absl::Span<const shard::LogRecord> slice) {
  unlisted_channels_.fetch_add(effects_.unlisted_channels, std::memory_order_relaxed);
  amounts_unread_.fetch_add(effects_.amounts_unread, std::memory_order_relaxed);
  world_.commands.finish(absl::MakeSpan(effects_.commands));
  {
    const std::lock_guard lock(observer_mutex_);
    if (observer_) observer_({batch.tick, slice, effects_, world_.replica.totals()});
  }
  world_.consumers.hand_on(batch, slice, effects_, world_.replica.totals());
  if (options_.archives) world_.lake.archive(archive_of(batch, slice, effects_));
}

// Only what is new: each costs the log thread a look at its clock.
void ApplyThread::set_agenda() {
  const auto due = world_.replica.shard().next_due();
  const Sequence tick = world_.replica.last_tick().sequence;
  if (due == due_ && (tick == agenda_tick_ || !due)) return;
  due_ = due;
  agenda_tick_ = tick;
  world_.log.set_agenda({.due = due, .tick = tick});
}

bool ApplyThread::reads_sound(const Replica& replica) {
  const absl::Status status = replica.reads();
  if (!status.ok() && !failed_) fail(status);
  return status.ok();
}

void ApplyThread::fail(const absl::Status& why) {
  failed_ = true;
  world_.checkpoints.give_up();
  {
    const std::lock_guard lock(health_mutex_);
    health_ = why;
  }
  world_.looks.close();
  world_.commands.close(why);
}

absl::Status ApplyThread::health() const {
  const std::lock_guard lock(health_mutex_);
  return health_;
}

}  // namespace kehu::engine
