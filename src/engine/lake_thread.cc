#include "engine/lake_thread.h"

#include <algorithm>
#include <chrono>

#include "os/thread_name.h"
#include "os/thread_priority.h"

// Three threads stand behind the archive, because a commit takes as long as the disk likes: Parquet, and
// two or three fsyncs a table. The appender adds rows to a fresh tail while the committer writes the frozen
// one, and the compactor does what can wait. Before, appending waited for every commit, its queue ran full,
// and the apply thread with all readers waited for fsyncs (docs/decisions/lake.md).
//
// A commit that failed is tried again with what came behind it. A batch that could not be appended leaves a
// gap, which nothing may be archived behind: the lake passes over record numbers that it is ahead of, and
// would never ask for the missing ones. So no checkpoint passes a gap either, and the next start replays
// from before it.
namespace kehu::engine {
namespace {

constexpr auto kMaintainPause = std::chrono::seconds(10);
constexpr uint64_t kBusyRows = 200'000;  // in a pause: 20,000 a second
constexpr int kBusyPausesMax = 60;       // ten minutes

}  // namespace

LakeThread::LakeThread(lake::Lake& lake, Options options)
    : lake_(lake),
      options_(std::move(options)),
      queue_(options_.queue_bytes),
      appended_(std::max(lake.committed(), options_.start).value()),
      appender_([this] { append_all(); }),
      committer_([this] { write_commits(); }),
      maintainer_([this] { maintain(); }) {}

LakeThread::~LakeThread() {
  if (appender_.joinable()) (void)stop();
}

bool LakeThread::archive(ArchiveBatch batch) {
  const size_t size = batch.size;
  return queue_.push(std::move(batch), size);
}

absl::Status LakeThread::commit_up_to(Sequence position) {
  {
    const std::lock_guard lock(mutex_);
    wanted_ = std::max(wanted_, position);
  }
  queue_.nudge();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return covered_ >= position || !commit_health_.ok() || ended_; });
  if (covered_ >= position) return absl::OkStatus();
  return commit_health_.ok() ? absl::CancelledError("the lake is closed") : commit_health_;
}

absl::Status LakeThread::stop() {
  queue_.close();
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  stopping_.notify_all();
  appender_.join();
  committer_.join();
  maintainer_.join();
  return commit_health();
}

absl::Status LakeThread::health() const {
  const std::lock_guard lock(mutex_);
  return commit_health_.ok() ? maintain_health_ : commit_health_;
}

absl::Status LakeThread::commit_health() const {
  const std::lock_guard lock(mutex_);
  return commit_health_;
}

// Has the priority of those who wait for it, since it takes from the queue that the apply thread fills, and
// waits for no disk.
void LakeThread::append_all() {
  os::name_this_thread("kehu-lake");
  using Clock = std::chrono::steady_clock;
  const auto period = std::chrono::microseconds(options_.commit_period.micros());
  auto due = Clock::now() + period;
  while (!queue_.closed_and_empty()) {
    // The end of a commit nudges the queue.
    const auto patience = std::chrono::duration_cast<std::chrono::microseconds>(
        committing() ? std::chrono::seconds(1) : due - Clock::now());
    if (auto batch = queue_.pop(Duration(std::max<int64_t>(0, patience.count())))) append(*batch);
    if (committing() || (Clock::now() < due && !commit_is_wanted() && !lake_.full())) continue;
    begin_commit();
    due = Clock::now() + period;
  }
  help_commit();
  begin_commit();
  help_commit();
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  commit_begun_.notify_all();
}

bool LakeThread::commit_is_wanted() const {
  const std::lock_guard lock(mutex_);
  return commit_health_.ok() && wanted_ > covered_ && appended() >= wanted_;
}

void LakeThread::append(const ArchiveBatch& batch) {
  if (!gap_.ok()) return;
  if (auto project = options_.project(); project != project_) {
    project_ = std::move(project);
    lake_.set_settings(project_->settings());
  }
  if (absl::Status status = decode(batch); !status.ok()) return leave_out(status);
  if (absl::Status status = wait_for_room(); !status.ok()) return leave_out(status);
  append_rows(batch);
  // After a crash the log is replayed from the state's position, which the lake is ahead of.
  appended_.store(std::max(appended(), batch.last).value(), std::memory_order_release);
}

void LakeThread::append_rows(const ArchiveBatch& batch) {
  lake_.move(batch.moves);
  lake_.append(batch.changes);
  for (const lake::TableId table : lake::kAllTables) {
    if (!batch.rows[table].empty()) lake_.append(table, batch.rows[table]);
  }
  lake_.append(rows_);
}

// Waits for a slow disk, and not for a broken one: a commit that has failed is not under way, and appending
// then says so by itself.
absl::Status LakeThread::wait_for_room() {
  if (!lake_.room().ok()) wait_for_commit();
  return lake_.room();
}

absl::Status LakeThread::decode(const ArchiveBatch& batch) {
  if (decoded_.size() < batch.events.size()) decoded_.resize(batch.events.size());
  rows_.clear();
  for (size_t i = 0; i < batch.events.size(); ++i) {
    const ArchivedEvent& archived = batch.events[i];
    if (auto status = decoded_[i].decode(archived.record); !status.ok()) return status;
    const Event& event = decoded_[i].event();
    rows_.push_back({.sequence = archived.sequence,
                     .customer = archived.customer,
                     .part = archived.part,
                     .source = project_->name_of(event.source),
                     .event = &event});
  }
  return absl::OkStatus();
}

bool LakeThread::committing() const {
  const std::lock_guard lock(mutex_);
  return committing_.has_value();
}

void LakeThread::wait_for_commit() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !committing_; });
}

// Somebody waits for the end of the process, and the committing thread gives way to whatever else the machine
// does.
void LakeThread::help_commit() {
  constexpr auto kBetweenTables = std::chrono::milliseconds(2);
  std::unique_lock lock(mutex_);
  while (committing_) {
    lock.unlock();
    lake_.help();
    lock.lock();
    changed_.wait_for(lock, kBetweenTables, [this] { return !committing_; });
  }
}

void LakeThread::begin_commit() {
  const Sequence position = appended();
  const bool work = lake_.freeze(position);
  {
    const std::lock_guard lock(mutex_);
    if (work) {
      committing_ = position;
    } else {
      covered_ = position;
      commit_health_ = gap_;
    }
  }
  work ? commit_begun_.notify_one() : changed_.notify_all();
}

void LakeThread::write_commits() {
  os::name_this_thread("kehu-commit");
  os::lower_this_thread_priority();
  std::unique_lock lock(mutex_);
  while (true) {
    commit_begun_.wait(lock, [this] { return committing_ || ended_; });
    if (!committing_) return;
    lock.unlock();
    const absl::Status status = write_commit();
    lock.lock();
    if (status.ok()) covered_ = *committing_;
    commit_health_ = status.ok() ? gap_ : status;
    committing_.reset();
    lock.unlock();
    changed_.notify_all();
    queue_.nudge();
    lock.lock();
  }
}

absl::Status LakeThread::write_commit() {
  const uint64_t rows = lake_.tail_rows();
  trace::ActiveSpan span = rows > 0 ? trace::background(options_.tracer, "lake commit") : trace::ActiveSpan();
  absl::Status status = lake_.write();
  span.set("kehu.lake.rows", static_cast<int64_t>(rows));
  if (!status.ok()) span.fail();
  return status;
}

void LakeThread::leave_out(const absl::Status& why) {
  {
    const std::lock_guard lock(mutex_);
    gap_ = commit_health_ = why;
  }
  changed_.notify_all();
}

// Compaction costs as much as archiving, so it waits for a calmer moment; but not for ever, since many small
// files slow down every statement.
void LakeThread::maintain() {
  os::name_this_thread("kehu-compact");
  os::lower_this_thread_priority();
  uint64_t seen = lake_.counters().rows_appended;
  int busy_pauses = 0;
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    stopping_.wait_for(lock, kMaintainPause, [this] { return stopped_; });
    if (stopped_) return;
    lock.unlock();
    const uint64_t now = lake_.counters().rows_appended;
    const bool busy = now - seen > kBusyRows && ++busy_pauses < kBusyPausesMax;
    seen = now;
    absl::StatusOr<bool> more = !busy;
    while (more.ok() && *more && !stopping()) more = maintain_once();
    if (!busy) busy_pauses = 0;
    lock.lock();
    if (!busy) maintain_health_ = more.status();
  }
}

absl::StatusOr<bool> LakeThread::maintain_once() {
  trace::ActiveSpan span = trace::background(options_.tracer, "lake maintenance");
  const absl::StatusOr<bool> more = lake_.maintain();
  if (!more.ok()) span.fail();
  if (more.ok() && !*more) span.discard();
  return more;
}

bool LakeThread::stopping() const {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

}  // namespace kehu::engine
