#pragma once

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "engine/log_thread.h"
#include "engine/test_engine.h"
#include "os/clock.h"
#include "os/memory_file_system.h"
#include "seal/key_ring.h"

// A log thread over files in memory that feeds a state in memory, for tests with failing disks.
namespace kehu::engine {

class LogWorld {
 public:
  static constexpr char kDirectory[] = "log";
  // A conflict's rejection and a few events fit; some commits later the next segment is needed.
  static constexpr uint32_t kSegmentBytes = 72u << 10;

  explicit LogWorld(os::MemoryFileSystem& files)
      : files_(files),
        ring_(*seal::ProjectKey::from_bytes(std::string(seal::ProjectKey::kBytes, 'k')), Cipher::kAes256Gcm,
              [](char* bytes, size_t size) { std::fill_n(bytes, size, 'r'); }) {}

  // As a start does: opens the log, replays all of it, takes submissions.
  absl::Status start() {
    auto thread = LogThread::open(options());
    if (!thread.ok()) return thread.status();
    thread_ = *std::move(thread);
    const auto replayed = thread_->replay(Sequence(1), [this](DurableBatch batch) {
      apply(batch);
      return absl::OkStatus();
    });
    if (!replayed.ok()) return replayed;
    set_agenda();
    thread_->start([this](DurableBatch batch) { apply(batch); });
    return absl::OkStatus();
  }
  absl::Status stop() { return thread_->stop(); }

  std::future<Ack> send(RecordBatch batch) {
    Submission submission;
    submission.batch = std::move(batch);
    return send_submission(std::move(submission));
  }

  std::future<Ack> send_submission(Submission submission) {
    auto promise = std::make_shared<std::promise<Ack>>();
    auto future = promise->get_future();
    submission.done = [promise](const Ack& ack) { promise->set_value(ack); };
    const auto status = thread_->submit(submission);
    EXPECT_TRUE(status.ok()) << status;
    return future;
  }

  // What `work` sends becomes one group, in which time has gone on by `passed`: the log thread is held
  // meanwhile, and everything before is applied.
  void while_held(Duration passed, absl::FunctionRef<void()> work) {
    const auto held = std::make_shared<std::promise<void>>();
    std::promise<void> release;
    Submission gate;
    gate.done = [held, opened = release.get_future().share()](const Ack&) {
      held->set_value();
      opened.wait();
    };
    EXPECT_TRUE(thread_->submit(gate).ok());
    held->get_future().wait();
    clock_.advance(passed);
    work();
    release.set_value();
  }

  std::vector<Ack> send_together(std::vector<RecordBatch> batches) {
    std::vector<std::future<Ack>> futures;
    while_held({}, [&] {
      for (RecordBatch& batch : batches) futures.push_back(send(std::move(batch)));
    });
    std::vector<Ack> acks;
    for (auto& future : futures) acks.push_back(future.get());
    return acks;
  }

  void pass(Duration time) { clock_.advance(time); }

  LogThread& thread() { return *thread_; }
  Instant now() { return clock_.now(); }
  // Of what was delivered; while the thread is held, and after stop().
  PlainState& state() { return state_; }

 private:
  LogThreadOptions options() {
    LogThreadOptions options;
    options.log.directory = kDirectory;
    options.log.segment_bytes = kSegmentBytes;
    options.log.preparation = log::Options::Preparation::kWhenNeeded;
    options.log.log_id = 7;
    options.files = &files_;
    options.clock = &clock_;
    options.ring = &ring_;
    options.recovery_pause = Duration::millis(2);
    options.settings = [] { return std::make_shared<const Settings>(Settings::defaults()); };
    options.seal_payload = [](std::string_view text) { return std::string(text); };
    return options;
  }
  void apply(const DurableBatch& batch) {
    state_.apply(batch.records, batch.tick);
    for (const shard::LogRecord& record : batch.records) {
      if (record.kind == RecordKind::kTick) last_tick_ = record.sequence;
    }
    set_agenda();
  }
  void set_agenda() { thread_->set_agenda({.due = state_.shard().next_due(), .tick = last_tick_}); }

  os::MemoryFileSystem& files_;
  os::ManualClock clock_{Instant(1'780'000'000'000'000)};
  seal::KeyRing ring_;
  PlainState state_;
  Sequence last_tick_;
  std::unique_ptr<LogThread> thread_;
};

}  // namespace kehu::engine
