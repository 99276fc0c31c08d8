#include "engine/lake_thread.h"

#include "os/thread_name.h"

#include <algorithm>
#include <chrono>

namespace kehu::engine {
namespace {

constexpr auto kMaintainPause = std::chrono::seconds(10);

}  // namespace

LakeThread::LakeThread(lake::Lake& lake, Options options)
    : lake_(lake),
      options_(std::move(options)),
      queue_(options_.queue_bytes),
      appended_(lake.committed().value()),
      writer_([this] { run(); }),
      maintainer_([this] { maintain(); }) {}

LakeThread::~LakeThread() {
  if (writer_.joinable()) (void)stop();
}

bool LakeThread::archive(ArchiveBatch batch) {
  const size_t size = batch.size;
  return queue_.push(std::move(batch), size);
}

void LakeThread::commit_soon(Sequence position) {
  wanted_ = position.value();
  queue_.nudge();
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
  return health();
}

absl::Status LakeThread::health() const {
  const std::lock_guard lock(mutex_);
  return health_;
}

void LakeThread::run() {
  os::name_this_thread("kehu-lake");
  using Clock = std::chrono::steady_clock;
  const auto period = std::chrono::microseconds(options_.commit_period.micros());
  auto due = Clock::now() + period;
  absl::Status status;
  while (!queue_.closed_and_empty()) {
    const auto patience = std::chrono::duration_cast<std::chrono::microseconds>(due - Clock::now());
    if (auto batch = queue_.pop(Duration(std::max<int64_t>(0, patience.count()))); batch && status.ok()) {
      status = append(*batch);
    }
    const bool wanted = wanted_ > covered_.value() && appended_ >= wanted_;
    if (status.ok() && (wanted || Clock::now() >= due)) status = commit();
    if (Clock::now() >= due) due = Clock::now() + period;
    if (!status.ok()) {
      const std::lock_guard lock(mutex_);
      health_.Update(status);
    }
  }
  if (status.ok()) status = commit();
  const std::lock_guard lock(mutex_);
  health_.Update(status);
}

absl::Status LakeThread::append(const ArchiveBatch& batch) {
  if (auto project = options_.project(); project != project_) {
    project_ = std::move(project);
    lake_.set_settings(project_->settings());
  }
  if (decoded_.size() < batch.events.size()) decoded_.resize(batch.events.size());
  rows_.clear();
  for (size_t i = 0; i < batch.events.size(); ++i) {
    const ArchivedEvent& archived = batch.events[i];
    if (auto status = decoded_[i].decode(archived.record); !status.ok()) return status;
    const Event& event = decoded_[i].event();
    rows_.push_back({.sequence = archived.sequence,
                     .customer = archived.customer,
                     .part = archived.part,
                     .source = source_name(event.source),
                     .event = &event});
  }
  if (auto status = lake_.append(rows_); !status.ok()) return status;
  if (auto status = lake_.move(batch.moves); !status.ok()) return status;
  appended_.store(batch.last.value(), std::memory_order_release);
  return absl::OkStatus();
}

std::string_view LakeThread::source_name(SourceId id) {
  const Source* source = project_->find(id);
  return source == nullptr ? std::string_view() : std::string_view(source->name);
}

absl::Status LakeThread::commit() {
  const Sequence position = appended();
  if (auto status = lake_.commit(position); !status.ok()) return status;
  covered_ = position;  // beyond lake_.committed() when the records behind it have no rows
  options_.committed(covered_);
  return absl::OkStatus();
}

void LakeThread::maintain() {
  os::name_this_thread("kehu-compact");
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    lock.unlock();
    const auto more = lake_.maintain();
    lock.lock();
    if (!more.ok()) health_.Update(more.status());
    if (!more.ok() || !*more) stopping_.wait_for(lock, kMaintainPause, [this] { return stopped_; });
  }
}

}  // namespace kehu::engine
