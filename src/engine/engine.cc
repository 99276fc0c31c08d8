#include "engine/engine.h"

#include <chrono>

#include "base/check.h"
#include "base/text.h"
#include "codec/record.h"
#include "codec/settings_json.h"
#include "engine/credentials.h"
#include "os/random.h"
#include "os/thread_name.h"
#include "os/thread_priority.h"

namespace kehu::engine {
namespace {

constexpr size_t kApplyQueueBytes = 32u << 20;
// Reads wait for at most this many records (~1 ms).
constexpr size_t kSlice = 1024;
constexpr size_t kCopyStep = 2048;
constexpr Duration kApplyPatience = Duration::millis(100);
constexpr size_t kStateCacheBytes = 128u << 20;
// An orderly end with more than this to write leaves it to the next start, so that it takes seconds at most.
constexpr size_t kLastCheckpointDirty = 500'000;

void fill_random(char* bytes, size_t size) { os::random_bytes(absl::MakeSpan(bytes, size)); }

// The cipher must be known before the keys are loaded, so the settings are read ahead of everything else.
absl::StatusOr<Cipher> stored_cipher(const state::Database& database, const Settings& first) {
  std::string body;
  const auto found = database.get(state::Space::kDefinitions, Hash128{0, 0}, body);
  if (!found.ok()) return found.status();
  if (!*found) return first.cipher;
  const auto settings = codec::settings_from_json(body);
  if (!settings.ok()) return settings.status();
  return settings->cipher;
}

}  // namespace

Engine::Engine(Options options, DataDirectory directory)
    : options_(std::move(options)), directory_(std::move(directory)), apply_queue_(kApplyQueueBytes) {}

absl::StatusOr<std::unique_ptr<Engine>> Engine::open(Options options,
                                                     const std::function<void(uint64_t)>& progress) {
  auto directory = DataDirectory::open(*options.files, options.directory);
  if (!directory.ok()) return directory.status();
  if (!options.first_settings) options.first_settings = std::make_shared<const Settings>(Settings::defaults());
  std::unique_ptr<Engine> engine(new Engine(std::move(options), *std::move(directory)));
  if (auto status = engine->recover(progress); !status.ok()) return status;
  engine->start();
  if (auto status = engine->define_first_source(); !status.ok()) return status;
  engine->dropping_ = engine->options_.depth == Depth::kLog;
  return engine;
}

Engine::~Engine() {
  if (!stopped_ && log_ != nullptr) (void)stop();
}

absl::Status Engine::recover(const std::function<void(uint64_t)>& progress) {
  auto database = state::Database::open(directory_.state(), kStateCacheBytes);
  if (!database.ok()) return database.status();
  database_ = *std::move(database);
  const auto cipher = stored_cipher(*database_, *options_.first_settings);
  if (!cipher.ok()) return cipher.status();
  ring_ = std::make_unique<seal::KeyRing>(directory_.key(), *cipher, fill_random);
  auto replica = Replica::open(*database_, *ring_);
  if (!replica.ok()) return replica.status();
  replica_ = *std::move(replica);

  auto lake = open_lake();
  if (!lake.ok()) return lake.status();
  lake_ = *std::move(lake);
  lake_thread_ = std::make_unique<LakeThread>(
      *lake_, LakeThread::Options{.commit_period = options_.lake_commit_period,
                                  .project = [this] { return replica_->project(); },
                                  .committed =
                                      [this](Sequence position) {
                                        {
                                          const std::lock_guard lock(lake_covered_mutex_);
                                          lake_covered_ = position.value();
                                        }
                                        lake_covered_changed_.notify_all();
                                      }});

  conflict_door_ = std::make_unique<seal::Door>(Project::kDefault, directory_.key(), *options_.first_settings, *ring_);
  auto log = LogThread::open({.log = {.directory = directory_.log(),
                                      .retention_bytes = replica_->project()->settings()->log_retention_bytes,
                                      .log_id = {}},
                              .files = options_.files,
                              .clock = options_.clock,
                              .ring = ring_.get(),
                              .around_acks = options_.around_acks,
                              .settings = [this] { return replica_->project()->settings(); },
                              .seal_payload = [this](std::string_view text) {
                                return conflict_door_->seal_payload(text);
                              }});
  if (!log.ok()) return log.status();
  log_ = *std::move(log);

  const Sequence from = replica_->applied().next();
  if (log_->next_sequence() < from) {
    return failure(absl::StatusCode::kDataLoss, "the log in ", directory_.log(), " ends at record ",
                   log_->next_sequence().value() - 1, " but the state is at ", replica_->applied().value(),
                   ": the log was lost or is of another installation; restore it from a backup");
  }
  log_->protect(from);
  uint64_t replayed = 0;
  return log_->replay(from, [&](DurableBatch batch) {
    effects_.clear();
    if (auto status = replica_->apply(batch.records, batch.tick, effects_); !status.ok()) return status;
    if (!batch.records.empty()) archive(batch, batch.records, batch.size);
    replayed += batch.records.size();
    if (progress) progress(replayed);
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
                             .settings = replica_->project()->settings(),
                             .files = options_.files,
                             .clock = options_.clock});
  });
  opener.join();
  return lake;
}

void Engine::start() {
  applied_ = replica_->applied().value();
  last_checkpoint_ = options_.clock->monotonic();
  log_->start([this](DurableBatch batch) {
    if (dropping_) return;
    const size_t size = batch.size;
    apply_queue_.push(std::move(batch), size);
  });
  apply_thread_ = std::thread([this] { run_apply(); });
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

absl::StatusOr<Ack> Engine::submit_and_wait(RecordBatch batch, std::vector<uint64_t> data_keys) {
  auto answer = std::make_shared<std::promise<Ack>>();
  std::future<Ack> future = answer->get_future();
  auto status =
      submit({.batch = std::move(batch),
              .data_keys = std::move(data_keys),
              .done = [answer](const Ack& ack) { answer->set_value(ack); }});
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

void Engine::set_observer(Observer observer) {
  const std::lock_guard lock(observer_mutex_);
  observer_ = std::move(observer);
}

void Engine::run_apply() {
  os::name_this_thread("kehu-apply");
  while (!apply_queue_.closed_and_empty()) {
    const bool busy = stage_ == CheckpointStage::kCopying;
    const auto batch = apply_queue_.pop(busy ? Duration() : kApplyPatience);
    if (batch) apply(*batch);
    run_looks();
    step_checkpoint();
  }
  {
    const std::lock_guard lock(looks_mutex_);
    looks_closed_ = true;
  }
  run_looks();
  drop_commands(absl::UnavailableError("the server is stopping"));
}

void Engine::drop_commands(const absl::Status& why) {
  const std::lock_guard lock(commands_mutex_);
  for (auto& [sequence, answer] : commands_) answer->set_value(why);
  commands_.clear();
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
  if (!health().apply.ok()) return false;
  effects_.clear();
  if (auto status = replica_->apply(slice, batch.tick, effects_); !status.ok()) {
    drop_commands(status);
    const std::lock_guard lock(health_mutex_);
    apply_health_ = std::move(status);
    return false;
  }
  applied_.store(replica_->applied().value(), std::memory_order_release);
  finish_commands();
  {
    const std::lock_guard lock(observer_mutex_);
    if (observer_) observer_({batch.tick, slice, effects_, replica_->totals()});
  }
  if (!slice.empty() && options_.depth == Depth::kAll) {
    archive(batch, slice, batch.size * slice.size() / batch.records.size());
  }
  return true;
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

void Engine::archive(const DurableBatch& batch, absl::Span<const shard::LogRecord> slice, size_t size) {
  ArchiveBatch out{.last = slice.back().sequence, .events = {}, .moves = {}, .bytes = batch.bytes, .size = size};
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
    const bool all = looks_closed_;
    std::vector<Look> later;
    for (Look& look : looks_) (all || look.after <= now ? ready : later).push_back(std::move(look));
    looks_ = std::move(later);
    looks_waiting_ = !looks_.empty();
  }
  for (Look& look : ready) look.look(*replica_);
}

void Engine::step_checkpoint() {
  if (options_.depth != Depth::kAll) return;
  const Duration now = options_.clock->monotonic();
  switch (stage_) {
    case CheckpointStage::kIdle: {
      const bool due = replica_->dirty_blobs() >= options_.checkpoint_dirty ||
                       now - last_checkpoint_ >= options_.checkpoint_period;
      if (!due || replica_->applied() == database_->position()) return;
      replica_->begin_checkpoint();
      stage_ = CheckpointStage::kCopying;
      return;
    }
    case CheckpointStage::kCopying:
      if (replica_->copy_some(kCopyStep)) start_checkpoint_write();
      return;
    case CheckpointStage::kWriting:
      if (checkpoint_written_.wait_for(std::chrono::seconds(0)) == std::future_status::ready) finish_checkpoint();
      return;
  }
}

void Engine::start_checkpoint_write() {
  Replica::Checkpoint checkpoint = replica_->take_checkpoint();
  checkpoint_position_ = checkpoint.position;
  stage_ = CheckpointStage::kWriting;
  lake_thread_->commit_soon(checkpoint.position);
  checkpoint_written_ = std::async(std::launch::async, [this, checkpoint = std::move(checkpoint)]() mutable {
    os::name_this_thread("kehu-state");
    os::lower_this_thread_priority();
    // The lake goes first: what recovery replays for the state must include what the lake still lacks.
    std::unique_lock lock(lake_covered_mutex_);
    while (lake_covered_ < checkpoint.position.value()) {
      if (auto status = lake_thread_->health(); !status.ok()) return status;
      if (ending_) return absl::CancelledError("the server is stopping");
      lake_covered_changed_.wait_for(lock, std::chrono::milliseconds(100));
    }
    lock.unlock();
    return database_->checkpoint(checkpoint.position, *checkpoint.changes);
  });
}

void Engine::finish_checkpoint() {
  const absl::Status status = checkpoint_written_.get();
  replica_->finish_checkpoint(status.ok());
  if (status.ok()) log_->protect(checkpoint_position_.next());
  replica_->shrink_to(options_.memory_bytes);
  last_checkpoint_ = options_.clock->monotonic();
  stage_ = CheckpointStage::kIdle;
}

absl::Status Engine::stop() {
  stopped_ = true;
  const absl::Status log = log_->stop();
  apply_queue_.close();
  apply_thread_.join();
  ending_ = true;
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
  Health health{.log = log_->health(), .apply = {}, .lake = lake_thread_->health()};
  const std::lock_guard lock(health_mutex_);
  health.apply = apply_health_;
  return health;
}

bool Engine::wait_archived(Duration patience) {
  const Sequence wanted = log_->durable();
  const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(patience.micros());
  const auto reached = [this] {
    return options_.depth == Depth::kAll ? archived() : options_.depth == Depth::kApply ? applied() : durable();
  };
  while (reached() < wanted) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace kehu::engine
