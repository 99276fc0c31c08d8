#include "engine/engine.h"

#include <chrono>

#include "base/check.h"
#include "base/text.h"
#include "codec/record.h"
#include "codec/settings_json.h"
#include "engine/credentials.h"
#include "log/reader.h"
#include "os/random.h"
#include "os/thread_name.h"
#include "os/thread_priority.h"

namespace kehu::engine {
namespace {

constexpr size_t kApplyQueueBytes = 8u << 20;
// Reads wait for at most this many records (~1 ms).
constexpr size_t kSlice = 1024;
constexpr size_t kCopyStep = 2048;
constexpr Duration kApplyPatience = Duration::millis(100);
// Records of a replay behind which the first checkpoint does not wait for its period: a machine that goes
// down again and again would replay them each time, and more.
constexpr uint64_t kLongReplay = 100'000;
// Between a checkpoint that failed and the next one.
constexpr Duration kPauseAfterFailure = Duration::seconds(1);
constexpr size_t kStateCacheBytes = 128u << 20;
// An orderly end with more than this to write leaves it to the next start, so that it takes seconds at most.
constexpr size_t kLastCheckpointDirty = 500'000;

void fill_random(char* bytes, size_t size) { os::random_bytes(absl::MakeSpan(bytes, size)); }

// The settings that the log of a new directory begins with.
absl::StatusOr<std::shared_ptr<const Settings>> first_logged_settings(os::FileSystem& files,
                                                                      const std::string& directory) {
  auto reader = log::Reader::open(files, directory, Sequence(0));
  if (!reader.ok()) return reader.status();
  log::Batch batch;
  while (batch.empty()) {
    const auto more = reader->next(batch);
    if (!more.ok()) return more.status();
    if (!*more) return nullptr;
  }
  const log::RecordView record = *batch.begin();
  if (record.kind != RecordKind::kDefinition) return nullptr;
  const auto definition = codec::decode_definition(record.payload);
  if (!definition.ok()) return definition.status();
  auto settings = codec::settings_from_json(definition->body);
  if (!settings.ok()) return settings.status();
  return std::make_shared<const Settings>(*std::move(settings));
}

}  // namespace

Engine::Engine(Options options, DataDirectory directory)
    : options_(std::move(options)), directory_(std::move(directory)), apply_queue_(kApplyQueueBytes) {}

absl::StatusOr<std::unique_ptr<Engine>> Engine::open(Options options,
                                                     const std::function<void(uint64_t)>& progress) {
  auto directory = DataDirectory::open(*options.files, options.directory);
  if (!directory.ok()) return directory.status();
  if (!options.first_settings)
    options.first_settings = std::make_shared<const Settings>(Settings::defaults());
  std::unique_ptr<Engine> engine(new Engine(std::move(options), *std::move(directory)));
  if (auto status = engine->recover(progress); !status.ok()) return status;
  engine->start();
  if (auto status = engine->define_first_source(); !status.ok()) return status;
  engine->dropping_ = engine->options_.depth == Depth::kLog;
  return engine;
}

Engine::~Engine() {
  if (running_) (void)stop();
}

absl::Status Engine::recover(const std::function<void(uint64_t)>& progress) {
  auto database = state::Database::open(directory_.state(), kStateCacheBytes);
  if (!database.ok()) return database.status();
  database_ = *std::move(database);
  auto settings = settings_at_start();
  if (!settings.ok()) return settings.status();
  settings_ = *std::move(settings);
  ring_ = std::make_unique<seal::KeyRing>(directory_.key(), settings_->cipher, fill_random);
  auto replica = Replica::open(*database_, *ring_);
  if (!replica.ok()) return replica.status();
  replica_ = *std::move(replica);

  auto lake = open_lake();
  if (!lake.ok()) return lake.status();
  lake_ = *std::move(lake);
  lake_thread_ = std::make_unique<LakeThread>(
      *lake_, LakeThread::Options{.commit_period = options_.lake_commit_period,
                                  .project = [this] { return replica_->project(); },
                                  .start = replica_->applied(),
                                  .tracer = options_.tracer});

  conflict_door_ = std::make_unique<seal::Door>(Project::kDefault, directory_.key(), *settings_, *ring_);
  auto log = LogThread::open(
      {.log = {.directory = directory_.log(),
               .segment_bytes = options_.log_segment_bytes,
               .retention_bytes = settings_->log_retention_bytes,
               .log_id = {}},
       .files = options_.files,
       .clock = options_.clock,
       .ring = ring_.get(),
       .around_acks = options_.around_acks,
       .settings = [this] { return replica_->project()->settings(); },
       .seal_payload = [this](std::string_view text) { return conflict_door_->seal_payload(text); },
       .tracer = options_.tracer});
  if (!log.ok()) return log.status();
  log_ = *std::move(log);
  return replay(progress);
}

// Cipher and retention must be known before the keys are loaded and the log is opened, so the settings are
// read ahead of everything else: those of the last checkpoint, or, before the first one, those that the log
// begins with.
absl::StatusOr<std::shared_ptr<const Settings>> Engine::settings_at_start() const {
  std::string body;
  const auto found = database_->get(state::Space::kDefinitions, Hash128{0, 0}, body);
  if (!found.ok()) return found.status();
  if (*found) {
    auto settings = codec::settings_from_json(body);
    if (!settings.ok()) return settings.status();
    return std::make_shared<const Settings>(*std::move(settings));
  }
  auto logged = first_logged_settings(*options_.files, directory_.log());
  if (!logged.ok() || *logged != nullptr) return logged;
  return options_.first_settings;
}

absl::Status Engine::replay(const std::function<void(uint64_t)>& progress) {
  const Sequence from = replica_->applied().next();
  if (log_->next_sequence() < from) {
    return failure(absl::StatusCode::kDataLoss, "the log in ", directory_.log(), " ends at record ",
                   log_->next_sequence().value() - 1, " but the state is at ", replica_->applied().value(),
                   ": the log was lost or is of another installation; restore it from a backup");
  }
  log_->protect(from);
  return log_->replay(from, [&](const DurableBatch& batch) {
    // In the slices of the first time, which give moves their positions. A checkpoint is always between two.
    const absl::Span<const shard::LogRecord> records(batch.records);
    for (size_t done = 0; done < records.size(); done += kSlice) {
      const auto slice = records.subspan(done, kSlice);
      effects_.clear();
      if (auto status = replica_->apply(slice, batch.tick, effects_); !status.ok()) return status;
      archive(batch, slice);
    }
    replayed_ += records.size();
    if (progress) progress(replayed_);
    return absl::OkStatus();
  });
}

// On a thread of low priority, which DuckDB's own threads inherit: writing Parquet must not delay acks.
absl::StatusOr<std::unique_ptr<lake::Lake>> Engine::open_lake() {
  absl::StatusOr<std::unique_ptr<lake::Lake>> lake = absl::InternalError("not opened");
  std::thread opener([&] {
    os::lower_this_thread_priority();
    lake = lake::Lake::open({.directory = directory_.lake(),
                             .temp_directory = directory_.temporary(),
                             .settings = settings_,
                             .files = options_.files,
                             .clock = options_.clock});
  });
  opener.join();
  return lake;
}

void Engine::start() {
  applied_ = replica_->applied().value();
  last_checkpoint_ = options_.clock->monotonic();
  if (replayed_ >= kLongReplay) last_checkpoint_ = last_checkpoint_ - options_.checkpoint_period;
  log_->start([this](DurableBatch batch) {
    if (dropping_) return;
    const size_t size = batch.size;
    apply_queue_.push(std::move(batch), size);
  });
  apply_thread_ = std::thread([this] { run_apply(); });
  running_ = true;
}

absl::Status Engine::define_first_source() {
  if (!project()->sources().empty()) return absl::OkStatus();
  const std::string key = derived_write_key(directory_.key());
  const Source source{.id = SourceId(1),
                      .name = "default",
                      .keys = {{.hash = credential_hash(directory_.key(), key),
                                .hint = credential_hint(key),
                                .created = options_.clock->now(),
                                .revoked = {}}}};
  const std::string settings = codec::settings_to_json(*options_.first_settings);
  const std::string body = to_json(source);
  RecordBatch batch;
  codec::add_record(batch, RecordKind::kDefinition, [&](std::string& out) {
    codec::append_definition({.kind = "settings", .name = "", .body = settings, .actor = "kehu"}, out);
  });
  codec::add_record(batch, RecordKind::kDefinition, [&](std::string& out) {
    codec::append_definition({.kind = "source", .name = source.name, .body = body, .actor = "kehu"}, out);
  });
  return submit_and_wait(std::move(batch)).status();
}

absl::Status Engine::submit(Submission submission) {
  {
    const std::lock_guard lock(health_mutex_);
    if (!apply_health_.ok()) return failure(absl::StatusCode::kUnavailable, message_of(apply_health_));
  }
  return log_->submit(submission);
}

absl::StatusOr<Ack> Engine::submit_and_wait(RecordBatch batch) {
  return submit_and_wait({.batch = std::move(batch), .data_keys = {}, .done = {}});
}

absl::StatusOr<Ack> Engine::submit_and_wait(Submission submission) {
  auto answer = std::make_shared<std::promise<Ack>>();
  std::future<Ack> future = answer->get_future();
  submission.done = [answer](const Ack& ack) { answer->set_value(ack); };
  auto status = submit(std::move(submission));
  if (!status.ok()) return status;
  const Ack ack = future.get();
  if (!ack.status.ok()) return ack.status;
  const auto applied = ask<bool>([](Replica&) { return true; });
  if (!applied.ok()) return applied.status();
  return ack;
}

absl::StatusOr<identity::Outcome> Engine::run_command(RecordBatch batch) {
  auto answer = std::make_shared<std::promise<absl::StatusOr<identity::Outcome>>>();
  auto future = answer->get_future();
  // The ack comes before the batch is applied, so the promise is in its place when the outcome arrives.
  auto status = submit({.batch = std::move(batch), .data_keys = {}, .done = [this, answer](const Ack& ack) {
                          if (!ack.status.ok()) return answer->set_value(ack.status);
                          const std::lock_guard lock(commands_mutex_);
                          if (!commands_closed_.ok()) return answer->set_value(commands_closed_);
                          commands_.emplace(ack.last, answer);
                        }});
  if (!status.ok()) return status;
  return future.get();
}

bool Engine::inspect(absl::AnyInvocable<void(Replica&)> look) {
  {
    const std::lock_guard lock(looks_mutex_);
    if (looks_closed_) return false;
    looks_.push_back({log_->durable(), std::move(look)});
    looks_waiting_ = true;
  }
  apply_queue_.nudge();
  return true;
}

absl::Status Engine::why_dropped() const {
  const std::lock_guard lock(health_mutex_);
  if (apply_health_.ok()) return absl::UnavailableError("the server is stopping");
  return failure(absl::StatusCode::kUnavailable, "the state is damaged, so nothing is accepted or shown (",
                 message_of(apply_health_), "): stop the server, `kehu check` names what to restore");
}

void Engine::set_observer(Observer observer) {
  const std::lock_guard lock(observer_mutex_);
  observer_ = std::move(observer);
}

void Engine::run_apply() {
  os::name_this_thread("kehu-apply");
  while (!apply_queue_.closed_and_empty()) {
    const bool busy = stage_ == CheckpointStage::kCopying;
    auto batch = apply_queue_.pop(busy ? Duration() : kApplyPatience);
    if (batch) {
      apply(*batch);
      batch->applying.clear();
    }
    run_looks();
    step_checkpoint();
  }
  run_looks();
  drop_looks();
  drop_commands(absl::UnavailableError("the server is stopping"));
}

void Engine::drop_commands(const absl::Status& why) {
  const std::lock_guard lock(commands_mutex_);
  commands_closed_ = why;
  for (auto& [sequence, answer] : commands_) answer->set_value(why);
  commands_.clear();
}

void Engine::drop_looks() {
  std::vector<Look> dropped;  // ends behind the lock: it may answer somebody
  const std::lock_guard lock(looks_mutex_);
  looks_closed_ = true;
  dropped.swap(looks_);
}

void Engine::apply(const DurableBatch& batch) {
  const absl::Span<const shard::LogRecord> records(batch.records);
  size_t done = 0;
  // A batch without records carries the tick, which observers see too.
  do {
    const auto slice = records.subspan(done, kSlice);
    if (!apply_slice(batch, slice)) return;
    done += slice.size();
    run_looks();
    if (stage_ == CheckpointStage::kCopying) step_checkpoint();
  } while (done < records.size());
}

bool Engine::apply_slice(const DurableBatch& batch, absl::Span<const shard::LogRecord> slice) {
  if (apply_failed_) return false;
  effects_.clear();
  if (auto status = replica_->apply(slice, batch.tick, effects_); !status.ok()) {
    fail_apply(status);
    return false;
  }
  applied_.store(replica_->applied().value(), std::memory_order_release);
  finish_commands();
  {
    const std::lock_guard lock(observer_mutex_);
    if (observer_) observer_({batch.tick, slice, effects_, replica_->totals()});
  }
  if (!slice.empty() && options_.depth == Depth::kAll) archive(batch, slice);
  return true;
}

void Engine::fail_apply(const absl::Status& why) {
  apply_failed_ = true;
  {
    const std::lock_guard lock(health_mutex_);
    apply_health_ = why;
  }
  drop_looks();
  drop_commands(why);
}

void Engine::finish_commands() {
  if (effects_.commands.empty()) return;
  const std::lock_guard lock(commands_mutex_);
  for (shard::CommandResult& result : effects_.commands) {
    const auto it = commands_.find(result.sequence);
    if (it == commands_.end()) continue;
    it->second->set_value(std::move(result.outcome));
    commands_.erase(it);
  }
}

void Engine::archive(const DurableBatch& batch, absl::Span<const shard::LogRecord> slice) {
  const size_t size = batch.size * slice.size() / batch.records.size();
  ArchiveBatch out{
      .last = slice.back().sequence, .events = {}, .moves = {}, .bytes = batch.bytes, .size = size};
  out.events.reserve(effects_.events.size());
  size_t record = 0;
  for (const shard::Applied& applied : effects_.events) {
    while (slice[record].sequence < applied.sequence) ++record;
    out.events.push_back({applied.sequence, applied.customer, applied.part, slice[record].payload});
  }
  for (const identity::Move& move : effects_.moves) {
    out.moves.push_back({.sequence = out.last, .time = batch.tick, .part = move.part, .customer = move.to});
  }
  lake_thread_->archive(std::move(out));
}

void Engine::run_looks() {
  if (!looks_waiting_.load(std::memory_order_acquire)) return;
  std::vector<Look> ready;
  {
    const std::lock_guard lock(looks_mutex_);
    const Sequence now = replica_->applied();
    std::vector<Look> later;
    for (Look& look : looks_) (look.after <= now ? ready : later).push_back(std::move(look));
    looks_ = std::move(later);
    looks_waiting_ = !looks_.empty();
  }
  for (Look& look : ready) look.look(*replica_);
}

void Engine::step_checkpoint() {
  if (options_.depth != Depth::kAll) return;
  const Duration now = options_.clock->monotonic();
  switch (stage_) {
    case CheckpointStage::kIdle:
      if (!checkpoint_due(now)) return;
      replica_->begin_checkpoint();
      stage_ = CheckpointStage::kCopying;
      return;
    case CheckpointStage::kCopying:
      if (replica_->copy_some(kCopyStep)) start_checkpoint_write();
      return;
    case CheckpointStage::kWriting:
      if (checkpoint_written_.wait_for(std::chrono::seconds(0)) == std::future_status::ready)
        finish_checkpoint();
      return;
  }
}

bool Engine::checkpoint_due(Duration now) const {
  const Duration waited = now - last_checkpoint_;
  const bool full = replica_->dirty_blobs() >= options_.checkpoint_dirty && waited >= checkpoint_pause_;
  if (!full && waited < options_.checkpoint_period) return false;
  // After a failed apply the state is that of no position.
  return !apply_failed_ && replica_->applied() != database_->position() && lake_thread_->commit_health().ok();
}

void Engine::start_checkpoint_write() {
  Replica::Checkpoint checkpoint = replica_->take_checkpoint();
  checkpoint_position_ = checkpoint.position;
  stage_ = CheckpointStage::kWriting;
  checkpoint_written_ = std::async(std::launch::async, [this, checkpoint = std::move(checkpoint)]() mutable {
    os::name_this_thread("kehu-state");
    os::lower_this_thread_priority();
    const trace::ActiveSpan span = trace::background(options_.tracer, "checkpoint");
    // The lake goes first: what recovery replays for the state must include what the lake still lacks.
    if (auto status = lake_thread_->commit_up_to(checkpoint.position); !status.ok()) return status;
    return database_->checkpoint(checkpoint.position, *checkpoint.changes);
  });
}

void Engine::finish_checkpoint() {
  const absl::Status status = checkpoint_written_.get();
  replica_->finish_checkpoint(status.ok());
  if (status.ok()) log_->protect(checkpoint_position_.next());
  replica_->shrink_to(options_.memory_bytes);
  last_checkpoint_ = options_.clock->monotonic();
  checkpoint_pause_ = status.ok() ? Duration() : kPauseAfterFailure;
  stage_ = CheckpointStage::kIdle;
  const std::lock_guard lock(health_mutex_);
  checkpoint_health_ = status;
}

absl::Status Engine::stop() {
  if (!running_) return absl::OkStatus();
  running_ = false;
  const absl::Status log = log_->stop();
  apply_queue_.close();
  apply_thread_.join();
  if (stage_ == CheckpointStage::kWriting) finish_checkpoint();
  const absl::Status lake = lake_thread_->stop();
  absl::Status status = log;
  status.Update(health().apply);
  status.Update(lake);
  if (status.ok()) status = write_last_checkpoint();
  return status;
}

absl::Status Engine::write_last_checkpoint() {
  const bool needless = options_.depth != Depth::kAll || replica_->applied() == database_->position();
  if (needless || replica_->dirty_blobs() > kLastCheckpointDirty) return absl::OkStatus();
  if (stage_ == CheckpointStage::kIdle) replica_->begin_checkpoint();
  // A checkpoint that was begun earlier is of an earlier position; it is good all the same.
  while (!replica_->copy_some(kCopyStep)) {
  }
  Replica::Checkpoint checkpoint = replica_->take_checkpoint();
  const absl::Status status = database_->checkpoint(checkpoint.position, *checkpoint.changes);
  replica_->finish_checkpoint(status.ok());
  return status;
}

Health Engine::health() const {
  Health health{.log = log_->health(), .apply = {}, .lake = lake_thread_->health(), .checkpoint = {}};
  const std::lock_guard lock(health_mutex_);
  health.apply = apply_health_;
  health.checkpoint = checkpoint_health_;
  return health;
}

bool Engine::wait_archived(Duration patience) {
  const Sequence wanted = log_->durable();
  const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(patience.micros());
  const auto reached = [this] {
    return options_.depth == Depth::kAll     ? archived()
           : options_.depth == Depth::kApply ? applied()
                                             : durable();
  };
  while (reached() < wanted) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace kehu::engine
