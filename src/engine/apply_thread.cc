#include "engine/apply_thread.h"

#include "engine/archive_rows.h"
#include "engine/words.h"
#include "os/thread_name.h"
#include "replica/last_moves.h"
#include "replica/segment_rows.h"

// One thread applies, because which customer an event belongs to depends on all events before it, over all
// customers: two strangers become one by the third event that names both. In the order of the log that is a
// plain function, and a live run, a replay and a simulation give the same state, bit for bit, without a
// lock. All that needs no order, decoding, sealing, archiving and sending, is done elsewhere and joined to
// this thread by bounded queues (docs/decisions/threads.md).
//
// Whoever looks at customers shares the thread. So a batch is applied in slices of at most 1,024 records,
// about a millisecond, and looks run between them: each sees customers at one position, whole, and waits
// for no sync.
namespace kehu::engine {
namespace {

constexpr size_t kQueueBytes = 8u << 20;
constexpr Duration kPatience = Duration::millis(100);
constexpr Duration kPatienceOfCheckpoint = Duration::millis(1);
// A checkpoint copies so many blobs while nothing waits to be applied: about 0.3 ms, for which the next
// event waits…
constexpr size_t kBlobsOfPause = 512;
// …and so many behind each event of a batch, so that it ends under any load. With 2,048 behind each batch,
// events of 100,000 a second waited up to 1.2 s, because copying took longer than the time between two
// batches.
constexpr size_t kBlobsOfEvent = 2;

}  // namespace

// Events keep pointing into the batch, which the archive's share holds alive: no payload is copied here.
// Effects name their records in the order of the log, so one pass over both finds them.
ArchiveBatch archive_of(const DurableBatch& batch, absl::Span<const shard::LogRecord> slice,
                        const shard::Effects& effects) {
  const size_t size = batch.size * slice.size() / batch.records.size();
  ArchiveBatch out{.last = slice.back().sequence,
                   .events = {},
                   .moves = {},
                   .changes = segment_rows(effects),
                   .labels = effects.labels,
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
  world_.consumers.hand_on(batch, slice, effects_, world_.replica.totals());
  if (options_.archives) world_.lake.archive(archive_of(batch, slice, effects_));
}

// Tells the log thread only what is new, because each agenda costs it a look at its clock. A tick that was
// applied matters only while something is due: until it is told, the log thread writes no further tick for
// that.
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

// What was computed after a failed read may be wrong, so no checkpoint is taken from here on, and nobody
// may look. What was acknowledged is in the log, and the next start applies it to the last checkpoint.
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
