#pragma once

#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "engine/bounded_queue.h"
#include "engine/data_directory.h"
#include "engine/durable_batch.h"
#include "engine/lake_thread.h"
#include "engine/log_thread.h"
#include "engine/replica.h"
#include "lake/lake.h"
#include "os/clock.h"
#include "os/file_system.h"
#include "seal/door.h"
#include "seal/key_ring.h"
#include "state/database.h"
#include "trace/tracer.h"

namespace kehu::engine {

// How far records go: for benchmarks, which want to know what each step costs.
enum class Depth { kLog, kApply, kAll };

struct Options {
  std::string directory;
  os::FileSystem* files = nullptr;
  os::Clock* clock = nullptr;
  // Of a new directory; the directory's own settings win.
  std::shared_ptr<const Settings> first_settings;
  size_t memory_bytes = 4ull << 30;                    // of customers kept in memory
  size_t checkpoint_dirty = 1'000'000;                 // blobs; a checkpoint starts at this many…
  Duration checkpoint_period = Duration::seconds(30);  // …or after this time
  Duration lake_commit_period = Duration::seconds(5);
  uint32_t log_segment_bytes = 64u << 20;
  std::function<void(absl::FunctionRef<void()>)> around_acks;
  Depth depth = Depth::kAll;
  trace::Tracer* tracer = nullptr;  // of flushes, commits and checkpoints; outlives the engine
};

// What an observer sees of an applied batch, on the apply thread.
struct AppliedBatch {
  Instant tick;
  absl::Span<const shard::LogRecord> records;
  const shard::Effects& effects;
  const Totals& totals;
};
using Observer = std::function<void(const AppliedBatch&)>;

// OK, or what is wrong and what it means.
struct Health {
  absl::Status log;         // nothing is accepted; tries again by itself
  absl::Status apply;       // the state is damaged: nothing is accepted or shown until a restart
  absl::Status lake;        // new rows are not on disk, or not compacted; the log keeps them
  absl::Status checkpoint;  // the last one failed; the log keeps what it lacks, and the next one tries again
};

// Runs one data directory on this machine: log thread, apply thread, lake thread; recovery before, an orderly
// end behind. All calls from any thread unless noted.
class Engine {
 public:
  // Recovers: last checkpoint, then the log behind it. Progress of long recoveries goes to `progress`, if
  // set, as records replayed.
  static absl::StatusOr<std::unique_ptr<Engine>> open(Options options,
                                                      const std::function<void(uint64_t)>& progress = {});
  ~Engine();

  // Takes events and other records on their way to the log; see LogThread::submit.
  absl::Status submit(Submission submission);

  // Logs records and waits until they are durable and applied. Not for threads that must not wait.
  absl::StatusOr<Ack> submit_and_wait(RecordBatch batch);
  absl::StatusOr<Ack> submit_and_wait(Submission submission);  // whose `done` is not used
  // The same for a merge or un-merge; its outcome as applied.
  absl::StatusOr<identity::Outcome> run_command(RecordBatch batch);

  // Runs `look` on the apply thread between batches, when everything acknowledged before this call is
  // applied; so whoever got an ack sees its effect. False when the engine is stopping or the state is
  // damaged: `look` is dropped, as are those that wait when that happens.
  bool inspect(absl::AnyInvocable<void(Replica&)> look);
  // Why a look was dropped: Unavailable, with what is wrong with the state, or that the engine is stopping.
  absl::Status why_dropped() const;
  // inspect() and wait. Unavailable when the look is dropped.
  template <class T>
  absl::StatusOr<T> ask(std::function<T(Replica&)> look);

  void set_observer(Observer observer);

  std::shared_ptr<const Project> project() const { return replica_->project(); }
  const seal::ProjectKey& key() const { return directory_.key(); }
  seal::KeyRing& ring() { return *ring_; }
  lake::Lake& lake() { return *lake_; }
  os::Clock& clock() { return *options_.clock; }
  const std::string& directory() const { return directory_.path(); }
  std::string temporary_directory() const { return directory_.temporary(); }
  const LogCounters& log_counters() const { return log_->counters(); }
  Sequence durable() const { return log_->durable(); }
  Sequence applied() const { return Sequence(applied_.load(std::memory_order_acquire)); }
  Sequence archived() const { return lake_thread_->appended(); }
  Health health() const;

  // Everything acknowledged so far is in the lake's snapshots on return, or after `patience`.
  bool wait_archived(Duration patience);

  // Refuses new records, applies and archives what is durable, checkpoints, closes the log. Once.
  absl::Status stop();

 private:
  Engine(Options options, DataDirectory directory);
  absl::Status recover(const std::function<void(uint64_t)>& progress);
  absl::Status replay(const std::function<void(uint64_t)>& progress);
  absl::StatusOr<std::shared_ptr<const Settings>> settings_at_start() const;
  absl::StatusOr<std::unique_ptr<lake::Lake>> open_lake();
  absl::Status define_first_source();
  void start();
  void run_apply();
  void apply(const DurableBatch& batch);
  bool apply_slice(const DurableBatch& batch, absl::Span<const shard::LogRecord> slice);
  void fail_apply(const absl::Status& why);
  void finish_commands();
  void drop_commands(const absl::Status& why);
  void drop_looks();
  // effects_ are those of `slice`.
  void archive(const DurableBatch& batch, absl::Span<const shard::LogRecord> slice);
  void run_looks();
  void step_checkpoint();
  bool checkpoint_due(Duration now) const;
  void start_checkpoint_write();
  void finish_checkpoint();
  absl::Status write_last_checkpoint();

  Options options_;
  DataDirectory directory_;
  std::shared_ptr<const Settings> settings_;  // at start
  std::unique_ptr<seal::KeyRing> ring_;
  std::unique_ptr<state::Database> database_;
  std::unique_ptr<lake::Lake> lake_;
  std::unique_ptr<Replica> replica_;
  std::unique_ptr<LogThread> log_;
  std::unique_ptr<LakeThread> lake_thread_;
  std::unique_ptr<seal::Door> conflict_door_;

  BoundedQueue<DurableBatch> apply_queue_;
  std::thread apply_thread_;
  std::atomic<bool> dropping_{false};  // Depth::kLog
  shard::Effects effects_;
  std::atomic<uint64_t> applied_{0};

  struct Look {
    Sequence after;
    absl::AnyInvocable<void(Replica&)> look;
  };
  std::mutex looks_mutex_;
  std::vector<Look> looks_;
  std::atomic<bool> looks_waiting_{false};
  bool looks_closed_ = false;

  std::mutex observer_mutex_;
  Observer observer_;
  std::mutex commands_mutex_;
  std::map<Sequence, std::shared_ptr<std::promise<absl::StatusOr<identity::Outcome>>>> commands_;
  absl::Status commands_closed_;  // OK, or why no command gets an outcome any more

  enum class CheckpointStage { kIdle, kCopying, kWriting };
  CheckpointStage stage_ = CheckpointStage::kIdle;
  uint64_t replayed_ = 0;  // at the start
  Duration last_checkpoint_;
  Duration checkpoint_pause_;
  bool apply_failed_ = false;  // the apply thread's
  std::future<absl::Status> checkpoint_written_;
  Sequence checkpoint_position_;

  mutable std::mutex health_mutex_;
  absl::Status apply_health_;
  absl::Status checkpoint_health_;
  bool running_ = false;
};

template <class T>
absl::StatusOr<T> Engine::ask(std::function<T(Replica&)> look) {
  struct Answer {
    std::promise<std::optional<T>> promise;
    bool given = false;
    ~Answer() {
      if (!given) promise.set_value(std::nullopt);
    }
  };
  auto answer = std::make_shared<Answer>();
  std::future<std::optional<T>> future = answer->promise.get_future();
  inspect([answer = std::move(answer), look = std::move(look)](Replica& replica) {
    answer->given = true;
    answer->promise.set_value(look(replica));
  });
  std::optional<T> value = future.get();
  if (!value) return why_dropped();
  return *std::move(value);
}

}  // namespace kehu::engine
