#pragma once

#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "directory/data_directory.h"
#include "engine/apply_thread.h"
#include "engine/backup.h"
#include "engine/checkpoints.h"
#include "engine/lake_thread.h"
#include "engine/log_thread.h"
#include "engine/outbox_sender.h"
#include "engine/scrub.h"
#include "engine/words.h"
#include "lake/lake.h"
#include "os/clock.h"
#include "os/file_system.h"
#include "replica/commands.h"
#include "replica/consumer.h"
#include "replica/fit.h"
#include "replica/looks.h"
#include "replica/replica.h"
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
  size_t memory_bytes = 4ull << 30;     // of customers kept in memory
  size_t checkpoint_dirty = 1'000'000;  // blobs; see checkpoints.h
  Duration checkpoint_period = Duration::seconds(30);
  Duration lake_commit_period = Duration::seconds(5);
  uint32_t log_segment_bytes = 64u << 20;
  Scrub::Options scrub = {};
  std::function<void(absl::FunctionRef<void()>)> around_acks;
  Depth depth = Depth::kAll;
  trace::Tracer* tracer = nullptr;  // of flushes, commits and checkpoints; outlives the engine
  // Who acts on intents; see OutboxSender::Options.
  std::map<std::string, std::shared_ptr<channel::Channel>, std::less<>> channels = {};
  std::function<void(std::string_view)> warn = {};  // lines for the operator, about channels
};

// OK, or what is wrong and what it means.
struct Health {
  absl::Status log;         // nothing is accepted; tries again by itself
  absl::Status apply;       // the state is damaged: nothing is accepted or shown until a restart
  absl::Status lake;        // new rows are not on disk, or not compacted; the log keeps them
  absl::Status checkpoint;  // the last one failed; the log keeps what it lacks, and the next one tries again
  absl::Status files;       // a file of the state or the archive lost bits; statements over it are refused
};

// Runs one data directory on this machine: log thread, apply thread, lake thread; recovery before, an orderly
// end behind. All calls from any thread unless noted.
class Engine {
 public:
  // Recovers: last checkpoint, then the log behind it; rows that the archive lost are taken from the log
  // (fit.h). DataLoss when log, state and archive do not belong together. Progress of long recoveries goes to
  // `progress`, if set, as records replayed.
  static absl::StatusOr<std::unique_ptr<Engine>> open(Options options,
                                                      const std::function<void(uint64_t)>& progress = {});
  ~Engine();

  // Takes events and other records on their way to the log; see LogThread::submit.
  absl::Status submit(Submission submission);

  // Logs records and waits until they are durable and applied. Not for threads that must not wait.
  absl::StatusOr<Ack> submit_and_wait(RecordBatch batch);
  absl::StatusOr<Ack> submit_and_wait(Submission submission);  // whose `done` is not used
  // The same for one command (a merge, an un-merge, definitions); what it is answered, as applied.
  template <class T>
  absl::StatusOr<T> run_command(RecordBatch batch);
  // Logs the changes as one record and waits until it is applied: all of them, or, with an error, none (see
  // definition::Project::apply).
  absl::StatusOr<Defined> define(absl::Span<const Definition> changes);

  // Runs `look` on the apply thread between batches, when everything acknowledged before this call is
  // applied; so whoever got an ack sees its effect. False when the engine is stopping or the state is
  // damaged: `look` is dropped, as are those that wait when that happens.
  bool inspect(absl::AnyInvocable<void(Replica&)> look);
  // On the apply thread, behind what a look found: whether it was read from a sound state. If not, nothing is
  // accepted or shown any more, and why_dropped() says why.
  bool reads_sound(const Replica& replica) { return apply_->reads_sound(replica); }
  // Why a look was dropped: Unavailable, with what is wrong with the state, or that the engine is stopping.
  absl::Status why_dropped() const;
  // inspect() and wait. Unavailable when the look is dropped.
  template <class T>
  absl::StatusOr<T> ask(std::function<T(Replica&)> look);

  Consumers& consumers() { return consumers_; }
  const OutboxSender& outbox_sender() const { return *outbox_sender_; }

  std::shared_ptr<const Project> project() const { return replica_->project(); }
  const seal::ProjectKey& key() const { return directory_.key(); }
  seal::KeyRing& ring() { return *ring_; }
  lake::Lake& lake() { return *lake_; }
  Backup& backup() { return *backup_; }
  Scrub::Counters scrub_counters() const { return scrub_->counters(); }
  os::Clock& clock() { return *options_.clock; }
  const std::string& directory() const { return directory_.path(); }
  std::string temporary_directory() const { return directory_.temporary(); }
  const LogCounters& log_counters() const { return log_->counters(); }
  Sequence durable() const { return log_->durable(); }
  Sequence applied() const { return apply_->applied(); }
  // Since the start; see shard::Effects.
  uint64_t unlisted_channels() const { return apply_->unlisted_channels(); }
  uint64_t amounts_unread() const { return apply_->amounts_unread(); }
  Sequence archived() const { return lake_thread_->appended(); }
  Health health() const;

  // Everything acknowledged so far is in the lake's snapshots on return, or after `patience`.
  bool wait_archived(Duration patience);

  // Refuses new records, applies and archives what is durable, checkpoints, closes the log. Once.
  absl::Status stop();

 private:
  Engine(Options options, DataDirectory directory);
  absl::Status recover(const std::function<void(uint64_t)>& progress);
  absl::Status restore_definitions();
  absl::Status restore_check_log();
  absl::Status open_log();
  absl::Status replay(const std::function<void(uint64_t)>& progress);
  absl::StatusOr<Fit> compare(const lake::LakePositions& lake) const;
  absl::StatusOr<std::shared_ptr<const Settings>> settings_at_start() const;
  absl::StatusOr<std::unique_ptr<lake::Lake>> open_lake(Fit& fit);
  absl::StatusOr<shard::Outcome> wait_for_outcome(RecordBatch batch);
  absl::Status define_first_source();
  absl::Status raise_format(absl::Span<const Definition> changes);
  void start();
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
  std::unique_ptr<Scrub> scrub_;
  std::unique_ptr<Backup> backup_;

  Looks looks_;
  Commands commands_;
  Consumers consumers_;
  std::unique_ptr<OutboxSender> outbox_sender_;
  std::unique_ptr<Checkpoints> checkpoints_;
  std::unique_ptr<ApplyThread> apply_;
  std::atomic<bool> dropping_{false};       // Depth::kLog
  std::atomic<bool> format_raised_{false};  // to that of rules
  uint64_t replayed_ = 0;                   // at the start
  bool running_ = false;
};

template <class T>
absl::StatusOr<T> Engine::run_command(RecordBatch batch) {
  auto outcome = wait_for_outcome(std::move(batch));
  if (!outcome.ok()) return outcome.status();
  return std::get<T>(*std::move(outcome));
}

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
  inspect([this, answer = std::move(answer), look = std::move(look)](Replica& replica) {
    T value = look(replica);
    if (!reads_sound(replica)) return;
    answer->given = true;
    answer->promise.set_value(std::move(value));
  });
  std::optional<T> value = future.get();
  if (!value) return why_dropped();
  return *std::move(value);
}

}  // namespace kehu::engine
