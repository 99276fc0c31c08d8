#pragma once

#include <atomic>
#include <mutex>
#include <thread>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "engine/checkpoints.h"
#include "engine/lake_thread.h"
#include "engine/log_thread.h"
#include "engine/words.h"
#include "replica/bounded_queue.h"
#include "replica/commands.h"
#include "replica/consumer.h"
#include "replica/durable_batch.h"
#include "replica/looks.h"
#include "replica/replica.h"

namespace kehu::engine {

// Records are applied in slices of at most so many (~1 ms), between which looks are answered.
inline constexpr size_t kSlice = 1024;

// An applied slice as the lake takes it. `slice` is not empty.
ArchiveBatch archive_of(const DurableBatch& batch, absl::Span<const shard::LogRecord> slice,
                        const shard::Effects& effects);

// The thread that owns the state: applies what is durable, slice by slice, hands on what that did, answers
// looks and commands between slices, and takes the steps of checkpoints.
class ApplyThread {
 public:
  struct Options {
    bool archives = true;  // hands slices to the lake and writes checkpoints
  };
  // All outlive it.
  struct World {
    Replica& replica;
    LogThread& log;
    LakeThread& lake;
    Checkpoints& checkpoints;
    Looks& looks;
    Commands& commands;
    Consumers& consumers;
  };
  ApplyThread(World world, Options options);
  ~ApplyThread();

  void start();
  // Waits while the queue is full.
  void push(DurableBatch batch);
  // There is a look to be answered.
  void nudge() { queue_.nudge(); }
  // Applies what waits, then ends.
  void stop();

  // The apply thread's, behind what a look found: false, and the end of all applying, when it was not read
  // from a sound state.
  bool reads_sound(const Replica& replica);

  // Any thread:
  Sequence applied() const { return Sequence(applied_.load(std::memory_order_acquire)); }
  // OK, or why nothing is applied or shown any more.
  absl::Status health() const;
  // Since the start; see shard::Effects.
  uint64_t unlisted_channels() const { return unlisted_channels_.load(std::memory_order_relaxed); }
  uint64_t amounts_unread() const { return amounts_unread_.load(std::memory_order_relaxed); }

 private:
  void run();
  void apply(const DurableBatch& batch);
  bool apply_slice(const DurableBatch& batch, absl::Span<const shard::LogRecord> slice);
  void hand_on(const DurableBatch& batch, absl::Span<const shard::LogRecord> slice);
  void set_agenda();
  void fail(const absl::Status& why);

  World world_;
  Options options_;
  BoundedQueue<DurableBatch> queue_;
  shard::Effects effects_;
  bool failed_ = false;
  std::optional<Instant> due_;  // as the log thread knows it
  Sequence agenda_tick_;        // the same
  std::atomic<uint64_t> applied_{0};
  std::atomic<uint64_t> unlisted_channels_{0};
  std::atomic<uint64_t> amounts_unread_{0};
  mutable std::mutex health_mutex_;
  absl::Status health_;
  std::thread thread_;
};

}  // namespace kehu::engine
