#include "engine/engine.h"

#include <algorithm>
#include <chrono>

#include "absl/container/flat_hash_set.h"
#include "base/check.h"
#include "base/text.h"
#include "codec/record.h"
#include "codec/settings_json.h"
#include "definition/kind.h"
#include "definition/rules.h"
#include "directory/credentials.h"
#include "engine/archive_repair.h"
#include "engine/archive_rows.h"
#include "engine/words.h"
#include "lake/definition_rows.h"
#include "log/reader.h"
#include "os/random.h"
#include "os/thread_priority.h"

namespace kehu::engine {
namespace {

constexpr size_t kStateCacheBytes = 128u << 20;

void fill_random(char* bytes, size_t size) { os::random_bytes(absl::MakeSpan(bytes, size)); }

// Returns nullptr when the record defines none.
absl::StatusOr<std::shared_ptr<const Settings>> settings_in(std::string_view record) {
  const auto changes = codec::decode_definitions(record);
  if (!changes.ok()) return changes.status();
  for (const Definition& change : *changes) {
    if (change.kind != definition::kSettings) continue;
    auto settings = codec::settings_from_json(change.body);
    if (!settings.ok()) return settings.status();
    return std::make_shared<const Settings>(*std::move(settings));
  }
  return nullptr;
}

// Finds the settings that the log of a new directory begins with, behind nothing but ticks.
absl::StatusOr<std::shared_ptr<const Settings>> first_logged_settings(os::FileSystem& files,
                                                                      const std::string& directory) {
  auto reader = log::Reader::open(files, directory, Sequence(0));
  if (!reader.ok()) return reader.status();
  log::Batch batch;
  for (;;) {
    const auto more = reader->next(batch);
    if (!more.ok()) return more.status();
    if (!*more) return nullptr;
    for (const log::RecordView record : batch) {
      if (record.kind == RecordKind::kTick) continue;
      if (record.kind != RecordKind::kDefinition) return nullptr;
      return settings_in(record.payload);
    }
  }
}

}  // namespace

Engine::Engine(Options options, DataDirectory directory)
    : options_(std::move(options)), directory_(std::move(directory)) {}

absl::StatusOr<std::unique_ptr<Engine>> Engine::open(Options options,
                                                     const std::function<void(uint64_t)>& progress) {
  auto directory = DataDirectory::open(*options.files, options.directory);
  if (!directory.ok()) return directory.status();
  if (!options.first_settings)
    options.first_settings = std::make_shared<const Settings>(Settings::defaults());
  std::unique_ptr<Engine> engine(new Engine(std::move(options), *std::move(directory)));
  if (auto status = engine->recover(progress); !status.ok()) return status;
  if (definition::format_of(*engine->project()) >= DataDirectory::kRulesFormat) {
    if (auto status = engine->directory_.raise_format(); !status.ok()) return status;
    engine->format_raised_ = true;
  }
  engine->start();
  if (auto status = engine->define_first_source(); !status.ok()) return status;
  engine->dropping_ = engine->options_.depth == Depth::kLog;
  return engine;
}

Engine::~Engine() {
  if (running_) (void)stop();
}

// The lake comes last, because it is judged while it opens: by then the positions of state and log are
// known, and all three are compared before anything is removed or replayed (docs/decisions/fit.md).
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

  if (auto status = open_log(); !status.ok()) return status;
  Fit fit;
  auto lake = open_lake(fit);
  if (!lake.ok()) return lake.status();
  lake_ = *std::move(lake);
  if (auto status = restore_definitions(); !status.ok()) return status;
  if (auto status = restore_check_log(); !status.ok()) return status;
  if (!fit.complete()) {
    ArchiveRepair repair(
        {*options_.files, *options_.clock, directory_, *database_, *ring_, *lake_, progress});
    if (auto status = repair.run(fit, log_->first_sequence()); !status.ok()) return status;
  }
  lake_thread_ = std::make_unique<LakeThread>(
      *lake_, LakeThread::Options{.commit_period = options_.lake_commit_period,
                                  .project = [this] { return replica_->project(); },
                                  .start = replica_->applied(),
                                  .tracer = options_.tracer});
  outbox_sender_ = std::make_unique<OutboxSender>(
      *database_, *options_.clock, [this](Submission submission) { return submit(std::move(submission)); },
      OutboxSender::Options{.channels = options_.channels, .warn = options_.warn});
  consumers_.add(*outbox_sender_);
  return replay(progress);
}

// A checkpoint follows the lake, so the table has every version that the state has, unless it was lost. The
// log need not reach back to them: the state keeps all of them.
absl::Status Engine::restore_definitions() {
  const auto lost = replica_->definitions().versions_behind(lake_->position(lake::TableId::kDefinitions));
  if (!lost.ok()) return lost.status();
  if (lost->empty()) return absl::OkStatus();
  return lake_->restore_rows(lake::TableId::kDefinitions, lake::definition_rows(*lost), replica_->applied());
}

// Of a table that is new to the directory, or gone, the state has the last points of each check.
absl::Status Engine::restore_check_log() {
  if (lake_->position(lake::TableId::kCheckLog) != Sequence()) return absl::OkStatus();
  std::vector<lake::TableRow> rows;
  for (const auto& result : replica_->shard().check_results(replica_->applied()))
    rows.push_back(check_row(result));
  if (rows.empty()) return absl::OkStatus();
  return lake_->restore_rows(lake::TableId::kCheckLog, rows, replica_->applied());
}

absl::Status Engine::open_log() {
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
  return absl::OkStatus();
}

absl::StatusOr<Fit> Engine::compare(const lake::LakePositions& archived) const {
  Positions at{.directory = directory_.path(),
               .log_first = log_->first_sequence(),
               .log_end = log_->next_sequence(),
               .state = replica_->applied(),
               .needs = {},
               .archive_rows = archived[lake::TableId::kEvents],
               .archive_moves = archived[lake::TableId::kIdentityLog],
               .archive_memberships = archived[lake::TableId::kSegmentLog]};
  const auto needs = archive_needs(*database_);
  if (!needs.ok()) return needs.status();
  const auto found =
      *needs ? absl::StatusOr<ArchiveNeeds>(**needs) : needs_by_log(*options_.files, directory_.log(), at);
  if (!found.ok()) return found.status();
  at.needs = *found;
  return fit_of(at);
}

// Cipher and retention must be known before the keys are loaded and the log is opened, so the settings are
// read ahead of everything else: those of the last checkpoint, or, before the first one, those that the log
// begins with.
absl::StatusOr<std::shared_ptr<const Settings>> Engine::settings_at_start() const {
  auto stored = stored_settings(*database_);
  if (!stored.ok() || *stored != nullptr) return stored;
  auto logged = first_logged_settings(*options_.files, directory_.log());
  if (!logged.ok() || *logged != nullptr) return logged;
  return options_.first_settings;
}

absl::Status Engine::replay(const std::function<void(uint64_t)>& progress) {
  const Sequence from = replica_->applied().next();
  shard::Effects effects;
  log_->protect(from);
  return log_->replay(from, [&](const DurableBatch& batch) {
    // The slices are those of the first time, which give moves their positions. A checkpoint is always
    // between two.
    const absl::Span<const shard::LogRecord> records(batch.records);
    for (size_t done = 0; done < records.size(); done += kSlice) {
      const auto slice = records.subspan(done, kSlice);
      effects.clear();
      if (auto status = replica_->apply(slice, batch.tick, effects); !status.ok()) return status;
      consumers_.hand_on(batch, slice, effects, replica_->totals());
      lake_thread_->archive(archive_of(batch, slice, effects));
    }
    replayed_ += records.size();
    if (progress) progress(replayed_);
    return absl::OkStatus();
  });
}

// Opens the lake on a thread of low priority, which DuckDB's own threads inherit: writing Parquet must not
// delay acks.
absl::StatusOr<std::unique_ptr<lake::Lake>> Engine::open_lake(Fit& fit) {
  absl::StatusOr<std::unique_ptr<lake::Lake>> lake = absl::InternalError("not opened");
  std::thread opener([&] {
    os::lower_this_thread_priority();
    lake = lake::Lake::open({.directory = directory_.lake(),
                             .temp_directory = directory_.temporary(),
                             .settings = settings_,
                             .files = options_.files,
                             .clock = options_.clock,
                             .judge = [&](const lake::LakePositions& positions) {
                               auto compared = compare(positions);
                               if (!compared.ok()) return compared.status();
                               fit = *std::move(compared);
                               return fit.status;
                             }});
  });
  opener.join();
  return lake;
}

void Engine::start() {
  checkpoints_ = std::make_unique<Checkpoints>(
      Checkpoints::World{*replica_, *database_, *log_, *lake_thread_, *options_.clock},
      Checkpoints::Options{.dirty = options_.checkpoint_dirty,
                           .period = options_.checkpoint_period,
                           .memory_bytes = options_.memory_bytes,
                           .tracer = options_.tracer},
      replayed_);
  apply_ = std::make_unique<ApplyThread>(
      ApplyThread::World{*replica_, *log_, *lake_thread_, *checkpoints_, looks_, commands_, consumers_},
      ApplyThread::Options{.archives = options_.depth == Depth::kAll});
  log_->start([this](DurableBatch batch) {
    if (!dropping_) apply_->push(std::move(batch));
  });
  apply_->start();
  outbox_sender_->start();
  scrub_ = std::make_unique<Scrub>(*lake_, *database_, *options_.files, options_.scrub);
  backup_ = std::make_unique<Backup>(Backup::Sources{.files = *options_.files,
                                                     .clock = *options_.clock,
                                                     .directory = directory_,
                                                     .database = *database_,
                                                     .lake = *lake_,
                                                     .log = log_->extent()});
  running_ = true;
}

// Of a new directory. One whose sources were all deleted has none, as somebody wants it.
absl::Status Engine::define_first_source() {
  if (project()->find(definition::kSettings, "") != nullptr) return absl::OkStatus();
  const std::string key = derived_write_key(directory_.key());
  const Source source{.id = SourceId(1),
                      .name = "default",
                      .keys = {{.hash = credential_hash(directory_.key(), key),
                                .hint = credential_hint(key),
                                .created = options_.clock->now(),
                                .revoked = {}}}};
  const std::string settings = codec::settings_to_json(*options_.first_settings);
  const std::string body = to_json(source);
  const Definition changes[] = {
      {.kind = definition::kSettings, .name = "", .body = settings, .actor = "kehu", .base = Sequence()},
      {.kind = definition::kSource, .name = source.name, .body = body, .actor = "kehu", .base = Sequence()}};
  return define(changes).status();
}

absl::Status Engine::submit(Submission submission) {
  if (auto health = apply_->health(); !health.ok()) {
    return failure(absl::StatusCode::kUnavailable, message_of(health));
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

// Whoever cannot read the first rule must not take the directory for damaged when it meets one: so its format
// is raised before, and not for rules that are refused anyway.
absl::Status Engine::raise_format(absl::Span<const Definition> changes) {
  const bool needed = std::ranges::any_of(changes, [](const Definition& change) {
    const definition::Kind* kind = definition::find_kind(change.kind);
    return kind != nullptr && kind->format >= DataDirectory::kRulesFormat;
  });
  if (!needed || format_raised_) return absl::OkStatus();
  const auto next = project()->apply(changes, durable().next(), options_.clock->now());
  if (!next.ok()) return next.status();
  const absl::Status raised = directory_.raise_format();
  format_raised_ = raised.ok();
  return raised;
}

absl::StatusOr<Defined> Engine::define(absl::Span<const Definition> changes) {
  if (auto status = raise_format(changes); !status.ok()) return status;
  const auto project = this->project();
  std::vector<Definition> all(changes.begin(), changes.end());
  std::ranges::copy(definition::counted_anew(changes, *project), std::back_inserter(all));
  RecordBatch batch;
  codec::add_record(batch, RecordKind::kDefinition,
                    [&](std::string& out) { codec::append_definitions(all, out); });
  return run_command<Defined>(std::move(batch));
}

absl::StatusOr<shard::Outcome> Engine::wait_for_outcome(RecordBatch batch) {
  auto answer = std::make_shared<std::promise<absl::StatusOr<shard::Outcome>>>();
  auto future = answer->get_future();
  // The ack comes before the batch is applied, so the promise is in its place when the outcome arrives.
  auto status = submit({.batch = std::move(batch), .data_keys = {}, .done = [this, answer](const Ack& ack) {
                          if (!ack.status.ok()) return answer->set_value(ack.status);
                          commands_.expect(ack.last, answer);
                        }});
  if (!status.ok()) return status;
  return future.get();
}

// An ack promises that an event is on the disk, not that it was applied: waiting for that would add the
// apply queue to every request. Whoever reads after an ack sees the event all the same, because a look runs
// only when the last record that is durable now has been applied.
bool Engine::inspect(absl::AnyInvocable<void(Replica&)> look) {
  if (!looks_.add(log_->durable(), std::move(look))) return false;
  apply_->nudge();
  return true;
}

absl::Status Engine::why_dropped() const {
  const absl::Status health = apply_->health();
  if (health.ok()) return absl::UnavailableError("the server is stopping");
  return failure(absl::StatusCode::kUnavailable, "the state is damaged, so nothing is accepted or shown (",
                 message_of(health), "): stop the server, `kehu check` names what to restore");
}

// Stops along the way of an event, so that each room still takes what the one before it hands on. The last
// checkpoint follows the lake, as every one does.
absl::Status Engine::stop() {
  if (!running_) return absl::OkStatus();
  running_ = false;
  backup_->stop();
  scrub_->stop();
  outbox_sender_->stop();
  const absl::Status log = log_->stop();
  apply_->stop();
  const absl::Status lake = lake_thread_->stop();
  absl::Status status = log;
  status.Update(apply_->health());
  status.Update(lake);
  if (status.ok() && options_.depth == Depth::kAll) status = checkpoints_->finish();
  return status;
}

Health Engine::health() const {
  Health health{.log = log_->health(),
                .apply = apply_->health(),
                .lake = lake_thread_->health(),
                .checkpoint = checkpoints_->health(),
                .files = scrub_->damage()};
  health.files.Update(lake_->file_check().damage());
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
