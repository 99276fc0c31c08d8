#include "script/world.h"

#include <algorithm>
#include <filesystem>

#include "base/text.h"
#include "codec/record.h"
#include "codec/settings_json.h"
#include "definition/list.h"
#include "definition/rules.h"
#include "json/writer.h"
#include "list/list.h"
#include "os/random.h"
#include "rule/check.h"
#include "tally/folder.h"

namespace kehu::script {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kActor = "script";
constexpr SourceId kSource{1};
constexpr size_t kCacheBytes = 1 << 20;

void fill_random(char* bytes, size_t size) { os::random_bytes({bytes, size}); }

// Why the first of them was refused; OK: none was.
absl::Status refusal_of(const RecordBatch& records) {
  for (const RecordBatch::Entry& entry : records.entries) {
    if (entry.kind != RecordKind::kRejection) continue;
    const auto rejection = codec::decode_rejection(records.payload(entry));
    if (!rejection.ok()) return rejection.status();
    return failure(absl::StatusCode::kInvalidArgument, "a server would reject this event (",
                   to_string(rejection->reason), "): ", rejection->path, rejection->path.empty() ? "" : " ",
                   rejection->detail);
  }
  return absl::OkStatus();
}

template <class Append>
RecordBatch one_record(RecordKind kind, Append&& append) {
  RecordBatch batch;
  codec::add_record(batch, kind, append);
  return batch;
}

}  // namespace

World::World(std::string directory, const seal::ProjectKey& key)
    : directory_(std::move(directory)), key_(key) {}

World::~World() {
  replica_.reset();
  database_.reset();
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

absl::StatusOr<std::unique_ptr<World>> World::open() {
  std::string secret(seal::ProjectKey::kBytes, '\0');
  fill_random(secret.data(), secret.size());
  const auto key = seal::ProjectKey::from_bytes(secret);
  if (!key.ok()) return key.status();
  std::error_code error;
  const fs::path temporary = fs::temp_directory_path(error);
  const std::string directory = (temporary / cat("kehu-script-", os::random_hex(8))).string();
  if (!error) fs::create_directories(directory, error);
  if (error) return failure(absl::StatusCode::kUnavailable, directory, ": ", error.message());
  std::unique_ptr<World> world(new World(directory, *key));
  if (auto status = world->open_state(); !status.ok()) return status;
  const definition::Source source{.id = kSource, .name = "default", .keys = {}};
  const std::string body = to_json(source);
  auto status = world->define({{.kind = definition::kSource,
                                .name = source.name,
                                .body = body,
                                .actor = kActor,
                                .base = Sequence()}});
  if (!status.ok()) return status;
  return world;
}

absl::Status World::open_state() {
  auto database = state::Database::open(directory_, kCacheBytes);
  if (!database.ok()) return database.status();
  database_ = *std::move(database);
  ring_ = std::make_unique<seal::KeyRing>(key_, Settings::defaults().cipher, fill_random);
  auto replica = replica::Replica::open(*database_, *ring_);
  if (!replica.ok()) return replica.status();
  replica_ = *std::move(replica);
  open_door();
  return absl::OkStatus();
}

void World::open_door() {
  settings_ = project()->settings();
  policy_ = std::make_unique<fields::Policy>(settings_);
  door_ = std::make_unique<seal::Door>(definition::Project::kDefault, key_, *settings_, *ring_);
}

std::vector<std::string> World::identifier_types() const {
  std::vector<std::string> names;
  for (const IdentifierRule& rule : settings_->identifier_types) names.push_back(rule.name);
  return names;
}

absl::Status World::set_zone(const std::string& name) {
  if (!BusinessZone::load(name)) {
    return failure(absl::StatusCode::kInvalidArgument, "there is no time zone ", name,
                   "; expected a name of the IANA, such as Asia/Shanghai");
  }
  Settings settings = *settings_;
  settings.time_zone = name;
  const std::string body = codec::settings_to_json(settings);
  auto status = define({{.kind = definition::kSettings,
                         .name = "",
                         .body = body,
                         .actor = kActor,
                         .base = replica_->applied()}});
  if (status.ok()) open_door();
  return status;
}

// Lists that they name and nobody has uploaded yet have nobody on them.
absl::Status World::define(const std::vector<rule::Definition>& rules) {
  for (const rule::Definition& rule : rules) {
    for (const std::string& list : rule::references(rule.body).lists) {
      if (auto status = make_list(list); !status.ok()) return status;
    }
  }
  const definition::RuleChanges record(rules, kActor, replica_->applied());
  if (auto status = define(record.changes()); !status.ok()) return status;
  return fill_in();
}

absl::Status World::make_list(const std::string& name) {
  if (definition::has_list(*project(), name)) return absl::OkStatus();
  return define({{.kind = definition::kList,
                  .name = name,
                  .body = "{}",
                  .actor = kActor,
                  .base = replica_->applied()}});
}

// As enrolment/ does it for a server.
absl::Status World::upload(const UploadList& list) {
  if (auto status = make_list(list.name); !status.ok()) return status;
  list::Uploads uploads = definition::uploads_of(*project(), list.name);
  list::Upload upload = list::next_upload(uploads, now_);
  upload.nonce = cat(upload.number);
  upload.source = "default";
  for (const UploadList::Member& member : list.members) {
    ++upload.rows;
    if (!customer_of(member.who).ok()) continue;
    std::string event;
    json::Writer writer(event);
    writer.begin_object().field("type", "identify");
    writer.field("message_id", cat("list:", list.name, ":", upload.number, ":", upload.rows));
    writer.field("time", format_utc(upload.at + Duration(static_cast<int64_t>(upload.rows))));
    writer.key("identifiers").begin_object().field(member.who.type, member.who.value).end_object();
    writer.key("traits").begin_object();
    writer.raw_field(list::trait_of(list.name, upload), list::trait_json(upload, member.value));
    writer.end_object().end_object();
    if (auto status = send(event, intake::ListTraits::kAllowed); !status.ok()) return status;
  }
  uploads = {.begun = upload, .in_force = upload};
  const std::string body = list::to_json(uploads);
  auto status = define({{.kind = definition::kListUploads,
                         .name = list.name,
                         .body = body,
                         .actor = kActor,
                         .base = replica_->applied()}});
  return status.ok() ? fill_in() : status;
}

absl::Status World::define(const std::vector<Definition>& changes) {
  return apply_command(one_record(RecordKind::kDefinition,
                                  [&](std::string& out) { codec::append_definitions(changes, out); }));
}

// What one batch of a log is: numbered behind all before it, and dated by the clock.
absl::Status World::apply(const RecordBatch& batch) {
  std::vector<shard::LogRecord> records;
  Sequence sequence = replica_->applied();
  for (const RecordBatch::Entry& entry : batch.entries) {
    sequence = sequence.next();
    records.push_back({sequence, entry.kind, batch.payload(entry)});
  }
  effects_.clear();
  if (auto status = replica_->apply(records, now_, effects_); !status.ok()) return status;
  if (!watch_) return absl::OkStatus();
  for (const shard::Applied& applied : effects_.events) name(applied);
  for (const shard::MembershipChange& change : effects_.memberships) {
    const auto known = who_.find(change.customer);
    watch_(change, known == who_.end() ? std::string_view() : std::string_view(known->second));
  }
  return absl::OkStatus();
}

void World::name(const shard::Applied& applied) {
  const auto open =
      std::ranges::find_if(applied.event->identifiers, [](const Identifier& each) { return !each.sealed; });
  if (open == applied.event->identifiers.end() || who_.contains(applied.customer)) return;
  who_[applied.customer] = cat(settings_->identifier_types[open->type.value()].name, ":", open->value);
}

absl::Status World::apply_command(const RecordBatch& batch) {
  if (auto status = apply(batch); !status.ok()) return status;
  for (const shard::CommandResult& result : effects_.commands) {
    if (!result.outcome.ok()) return result.outcome.status();
  }
  return absl::OkStatus();
}

// What a server's back-fill does with its archive (backfill/backfill.cc), in one record a round.
absl::Status World::fill_in() {
  for (;;) {
    const shard::Shard::BackfillJob job = replica_->shard().backfill_job();
    if (job.round.kind == BackfillRound::kNone) return absl::OkStatus();
    std::vector<std::pair<Token, std::string>> counted;
    for (const auto& [part, events] : events_) {
      auto tallies = job.round.kind == BackfillRound::kCount ? count(events, job) : std::string();
      if (!tallies.ok()) return tallies.status();
      counted.emplace_back(part, *std::move(tallies));
    }
    codec::Backfill record{
        .kind = job.round.kind, .position = job.round.position, .last = true, .entries = {}};
    for (const auto& [part, tallies] : counted) record.entries.push_back({part, tallies});
    auto status = apply(
        one_record(RecordKind::kBackfill, [&](std::string& out) { codec::append_backfill(record, out); }));
    if (!status.ok()) return status;
  }
}

// Of one part.
absl::StatusOr<std::string> World::count(const std::vector<std::string>& events,
                                         const shard::Shard::BackfillJob& job) const {
  tally::PartCounter counter(job.tallies);
  for (const std::string& bytes : events) {
    codec::EventRecord record;
    if (auto status = record.decode(bytes); !status.ok()) return status;
    const Event& event = record.event();
    if (auto status = counter.add(event, project()->name_of(event.source)); !status.ok()) return status;
  }
  const auto tallies = counter.tallies();
  if (!tallies.ok()) return tallies.status();
  return std::string(*tallies);
}

void World::remember(const RecordBatch& batch) {
  size_t at = 0;
  for (const RecordBatch::Entry& entry : batch.entries) {
    if (entry.kind != RecordKind::kEvent) continue;
    events_[effects_.events[at++].part].emplace_back(batch.payload(entry));
  }
}

absl::Status World::tick(Instant at) {
  now_ = at;
  return apply(
      one_record(RecordKind::kTick, [&](std::string& out) { codec::append_tick({.time = at}, out); }));
}

// A server's clock ticks each second and whenever something is due; what happens is the same. A timer that is
// not yet due although it said so is one of a page of timers that has to be sorted first.
absl::Status World::pass(Instant then) {
  for (auto due = replica_->shard().next_due(); due && *due <= then; due = replica_->shard().next_due()) {
    Instant at = std::max(*due, now_);
    if (effects_.timers_due == 0 && at == now_) at = std::min(at + Duration::seconds(1), then);
    if (auto status = tick(at); !status.ok()) return status;
    if (at == then && effects_.timers_due == 0) break;
  }
  return absl::OkStatus();
}

absl::Status World::advance_to(Instant then) {
  if (auto status = pass(then); !status.ok()) return status;
  return tick(then);
}

absl::Status World::decode(std::string_view event, Instant at, intake::Intake& intake,
                           intake::ListTraits lists) {
  const intake::Sender sender{.policy = policy_.get(),
                              .door = door_.get(),
                              .project = definition::Project::kDefault,
                              .source = kSource,
                              .default_channel = Channel::kUnknown,
                              .received_at = at,
                              .retried = false,
                              .remote_ip = {},
                              .origin = "script",
                              .list_traits = lists};
  intake::BulkDecoder decoder(sender, workspace_);
  decoder.decode_whole(event, intake);
  return refusal_of(intake.records);
}

absl::Status World::arrive(const intake::Intake& intake) {
  if (auto status = apply(intake.records); !status.ok()) return status;
  remember(intake.records);
  ring_->mark_durable(intake.new_key_ids);
  return absl::OkStatus();
}

absl::Status World::send(std::string_view event) { return send(event, intake::ListTraits::kRefused); }

absl::Status World::send(std::string_view event, intake::ListTraits lists) {
  intake::Intake intake;
  if (auto status = decode(event, now_, intake, lists); !status.ok()) return status;
  return arrive(intake);
}

// When it happened is known once it has been read, and when it came decides how it is read: so it is read
// twice, the first time as if it came at the end of time.
absl::Status World::stream(std::string_view event) {
  intake::Intake first;
  if (auto status = decode(event, kLastInstant, first); !status.ok()) return status;
  Instant then = now_;
  for (const RecordBatch::Entry& entry : first.records.entries) {
    if (entry.kind != RecordKind::kEvent) continue;
    codec::EventRecord record;
    if (auto status = record.decode(first.records.payload(entry)); !status.ok()) return status;
    if (!streamed_.insert(record.event().message_key).second) return absl::OkStatus();
    then = std::max(then, record.event().original_time);
  }
  ring_->mark_durable(first.new_key_ids);
  if (auto status = pass(then); !status.ok()) return status;
  now_ = then;
  return send(event);
}

absl::StatusOr<Token> World::token_of(const Person& who) {
  return document::parse_token({*settings_, *door_}, cat(who.type, ":", who.value));
}

absl::StatusOr<CustomerId> World::customer_of(const Person& who) {
  const auto token = token_of(who);
  if (!token.ok()) return token.status();
  const auto customer = replica_->shard().identities().customer_of(*token);
  if (customer) return *customer;
  return failure(absl::StatusCode::kNotFound, "nothing has been heard of ", who.shown, " yet");
}

absl::Status World::merge(const Person& winner, const Person& loser) {
  const auto first = token_of(winner), second = token_of(loser);
  if (!first.ok()) return first.status();
  if (!second.ok()) return second.status();
  return apply_command(one_record(RecordKind::kMerge, [&](std::string& out) {
    codec::append_merge({.winner = *first, .loser = *second, .reason = "script", .actor = kActor}, out);
  }));
}

absl::Status World::unmerge(const Person& who, const Person& other) {
  const auto first = token_of(who), second = token_of(other);
  if (!first.ok()) return first.status();
  if (!second.ok()) return second.status();
  const auto links = replica_->shard().identities().explain(*first, *second);
  if (!links.ok()) return links.status();
  const auto customer = customer_of(who);
  if (!customer.ok()) return customer.status();
  if (links->empty()) {
    return failure(absl::StatusCode::kInvalidArgument, who.shown, " and ", other.shown,
                   " are one identifier");
  }
  const auto newest = std::ranges::max_element(*links, {}, &identity::Link::sequence);
  return apply_command(one_record(RecordKind::kUnmerge, [&](std::string& out) {
    codec::append_unmerge(
        {.link = newest->sequence, .customer = *customer, .reason = "script", .actor = kActor}, out);
  }));
}

absl::Status World::restart() {
  constexpr size_t kKeys = 1 << 20;
  replica_->begin_checkpoint();
  while (!replica_->copy_some(kKeys)) {
  }
  replica::Replica::Checkpoint checkpoint = replica_->take_checkpoint();
  if (auto status = database_->checkpoint(checkpoint.position, *checkpoint.changes); !status.ok())
    return status;
  replica_->finish_checkpoint(true);
  door_.reset();
  replica_.reset();
  database_.reset();
  return open_state();
}

}  // namespace kehu::script
