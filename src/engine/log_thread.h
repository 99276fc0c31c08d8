#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "duplicates/duplicates.h"
#include "engine/builder_pool.h"
#include "engine/submission.h"
#include "engine/words.h"
#include "log/writer.h"
#include "model/settings.h"
#include "os/clock.h"
#include "os/file_system.h"
#include "replica/bounded_queue.h"
#include "replica/durable_batch.h"
#include "seal/key_ring.h"
#include "trace/tracer.h"

namespace kehu::engine {

struct LogThreadOptions {
  log::Options log;
  os::FileSystem* files = nullptr;
  os::Clock* clock = nullptr;
  seal::KeyRing* ring = nullptr;
  size_t queue_bytes = 64u << 20;                   // of submissions that wait; more are refused
  Duration recovery_pause = Duration::millis(200);  // between attempts to open the log again
  // Runs a group of acks, so that whoever answers can share wake-ups between them.
  std::function<void(absl::FunctionRef<void()>)> around_acks;
  std::function<std::shared_ptr<const Settings>()> settings;
  // Seals the payload of a conflict's rejection; used on the log thread only.
  std::function<std::string(std::string_view)> seal_payload;
  trace::Tracer* tracer = nullptr;
};

struct LogCounters {
  std::atomic<uint64_t> commits{0};
  std::atomic<uint64_t> bytes{0};
  std::atomic<uint64_t> events{0};
  std::atomic<uint64_t> repeats{0};
  std::atomic<uint64_t> conflicts{0};
  std::atomic<uint64_t> refused{0};        // submissions, queue full
  std::atomic<uint64_t> failures{0};       // commits that failed
  std::atomic<uint64_t> commit_micros{0};  // write and sync, summed
};

// Owns the log: takes submissions from any thread, drops repeats, commits groups of them with one sync,
// answers, and hands the durable batch on. It writes the ticks, too: one a second, whether or not anything
// happens, and one as soon as something is due.
//
// When a write or sync fails, the submissions of that group are answered Unavailable, the log is opened
// again, and what of the group did reach the disk is handed on like any other batch; the clients' repeats are
// recognised. While the disk is unusable every submission is answered Unavailable.
class LogThread {
 public:
  using Deliver = std::function<void(DurableBatch)>;
  static absl::StatusOr<std::unique_ptr<LogThread>> open(LogThreadOptions options);
  ~LogThread();

  // Reads everything from `from` on, in order, for recovery. Before start().
  absl::Status replay(Sequence from, const std::function<absl::Status(DurableBatch)>& visit);
  void start(Deliver deliver);
  // Commits what waits, then closes the log in order.
  absl::Status stop();

  // ResourceExhausted when the queue is full, Unavailable after stop(): `submission.done` is not called then.
  // Otherwise it is called once.
  absl::Status submit(Submission& submission);

  // What applying has come to: the next tick is written when `due` has come (nullopt: in a second), but not
  // before `tick`, the last one that was applied, is the last one written. So that what is due is asked for
  // once, and as often as it takes to do it in bounded steps.
  struct Agenda {
    std::optional<Instant> due;
    Sequence tick;
  };
  void set_agenda(const Agenda& agenda);

  // Records below are durable elsewhere; their segments may be recycled.
  void protect(Sequence first);
  // The last durable record.
  Sequence durable() const { return Sequence(durable_.load(std::memory_order_acquire)); }
  // What the log holds: [first_sequence, next_sequence). Before start().
  Sequence first_sequence() const { return writer_->first_sequence(); }
  Sequence next_sequence() const { return writer_->next_sequence(); }
  const LogCounters& counters() const { return counters_; }
  // Of the files, for copying them.
  log::Extent& extent() { return extent_; }
  // OK, or why events cannot be accepted now.
  absl::Status health() const;

 private:
  struct Group;

  explicit LogThread(LogThreadOptions options);
  absl::Status open_log();
  DurableBatch copy_of(const log::Batch& batch) const;
  void run();
  int64_t due_micros() const;
  bool tick_is_due(Duration now) const;
  Duration until_tick(Duration now) const;
  absl::Status add_tick(Group& group);
  void collect(std::optional<Submission> first, Group& group);
  absl::Status write_traced(Group& group);
  absl::Status write(Group& group);
  absl::Status start_batch(size_t room, Group& group);
  absl::Status make_room(size_t payload, Group& group);
  absl::Status commit_batch(Group& group);
  absl::Status fill(const Submission& submission, Group& group, Ack& ack);
  absl::Status add(RecordKind kind, std::string_view payload, Group& group);
  absl::Status add_once(const Submission& submission, const RecordBatch::Entry& entry, Group& group,
                        Ack& ack);
  absl::Status add_conflict(std::string_view event_record, Group& group);
  void answer(Group& group, const absl::Status& status);
  void count(const Ack& ack);
  static void end_waiting(trace::ActiveSpan& waiting, const absl::Status& status, Group& group);
  void hand_on(Group& group);
  bool usable() const { return writer_ != nullptr && writer_->status().ok(); }
  void recover();
  void refuse_for_a_while(const absl::Status& why);
  void set_health(absl::Status status);

  LogThreadOptions options_;
  log::Extent extent_;  // of every writer in turn
  std::unique_ptr<log::Writer> writer_;
  std::optional<duplicates::DuplicateFilter> duplicates_;
  BoundedQueue<Submission> queue_;
  Deliver deliver_;
  std::thread thread_;
  BuilderPool builders_;
  std::vector<Hash128> keys_;
  std::atomic<uint64_t> durable_{0};
  std::atomic<uint64_t> protect_from_{0};
  std::atomic<int64_t> due_{INT64_MAX};    // micros
  std::atomic<uint64_t> tick_applied_{0};  // of the last tick that was applied
  Sequence tick_written_;                  // the log thread's, as is:
  Duration last_tick_;                     // when, by the monotonic clock
  bool idle_ = false;                      // nothing but ticks came since, and all of it could be written
  std::string tick_bytes_;
  LogCounters counters_;
  mutable std::mutex health_mutex_;
  absl::Status health_;
  std::atomic<bool> stopping_{false};
};

}  // namespace kehu::engine
