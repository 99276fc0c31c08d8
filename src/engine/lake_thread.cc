#include "engine/lake_thread.h"

#include <algorithm>
#include <chrono>

#include "os/thread_name.h"
#include "os/thread_priority.h"

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
      writer_([this] { run(); }),
      maintainer_([this] { maintain(); }) {}

LakeThread::~LakeThread() {
  if (writer_.joinable()) (void)stop();
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
  writer_.join();
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

void LakeThread::run() {
  os::name_this_thread("kehu-lake");
  os::lower_this_thread_priority();
  using Clock = std::chrono::steady_clock;
  const auto period = std::chrono::microseconds(options_.commit_period.micros());
  auto due = Clock::now() + period;
  const auto wanted = [this] {
    const std::lock_guard lock(mutex_);
    return commit_health_.ok() && wanted_ > covered_ && appended() >= wanted_;
  };
  while (!queue_.closed_and_empty()) {
    const auto patience = std::chrono::duration_cast<std::chrono::microseconds>(due - Clock::now());
    if (auto batch = queue_.pop(Duration(std::max<int64_t>(0, patience.count())))) append(*batch);
    if (!wanted() && Clock::now() < due) continue;
    commit();
    due = Clock::now() + period;
  }
  commit();
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
}

void LakeThread::append(const ArchiveBatch& batch) {
  if (!gap_.ok()) return;
  if (auto project = options_.project(); project != project_) {
    project_ = std::move(project);
    lake_.set_settings(project_->settings());
  }
  gap_ = decode(batch);
  if (!gap_.ok()) return report(gap_);
  // Moves first: a full tail is committed with its rows, and drops what comes after for a position before.
  gap_ = lake_.move(batch.moves);
  if (!gap_.ok()) return report(gap_);
  const uint64_t rows = lake_.tail_rows();
  if (auto status = lake_.append(rows_); !status.ok()) {
    // Without the commit that a full tail needs the rows are taken all the same, but not for ever.
    if (!rows_.empty() && lake_.tail_rows() == rows) gap_ = status;
    report(status);
    if (!gap_.ok()) return;
  }
  // After a crash the log is replayed from the state's position, which the lake is ahead of.
  appended_.store(std::max(appended(), batch.last).value(), std::memory_order_release);
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

void LakeThread::commit() {
  const Sequence position = appended();
  const uint64_t rows = lake_.tail_rows();
  trace::ActiveSpan span = rows > 0 ? trace::background(options_.tracer, "lake commit") : trace::ActiveSpan();
  const absl::Status status = lake_.commit(position);
  span.set("kehu.lake.rows", static_cast<int64_t>(rows));
  if (!status.ok()) span.fail();
  span.end();
  {
    const std::lock_guard lock(mutex_);
    if (status.ok()) covered_ = position;
    commit_health_ = status.ok() ? gap_ : status;
  }
  changed_.notify_all();
}

void LakeThread::report(const absl::Status& failure) {
  {
    const std::lock_guard lock(mutex_);
    commit_health_ = failure;
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
