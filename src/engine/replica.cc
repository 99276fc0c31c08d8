#include "engine/replica.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "codec/record.h"
#include "codec/settings_json.h"

namespace kehu::engine {
namespace {

constexpr Hash128 kSettingsKey{0, 0};

Hash128 source_key(SourceId id) { return Hash128{1, id.value()}; }
Hash128 envelope_key_place(seal::EnvelopeVersion version) { return Hash128{2, version.value()}; }

std::string_view kind_of(const Hash128& place) {
  constexpr std::string_view kKinds[] = {"settings", "source", "envelope_key"};
  return place.high < std::size(kKinds) ? kKinds[place.high] : "";
}

// A data key's place: one token may have several.
Hash128 data_key_place(const DataKey& key) {
  return Hash128{key.token.hash.high ^ key.key_id, key.token.hash.low};
}

}  // namespace

Replica::Replica(state::Database& database, seal::KeyRing& ring, std::shared_ptr<const Settings> settings)
    : ring_(ring),
      nodes_(state::Space::kNodes, &database),
      groups_(state::Space::kGroups, &database),
      customers_(state::Space::kCustomers, &database),
      names_(state::Space::kNames, &database),
      keys_(state::Space::kDataKeys, &database),
      rejected_(state::Space::kRejections, &database),
      definitions_(state::Space::kDefinitions, &database),
      audit_(state::Space::kAudit, &database),
      totals_store_(state::Space::kTotals, &database),
      rejections_(rejected_),
      project_(std::make_shared<const Project>(settings, std::vector<Source>())),
      shard_(std::move(settings),
             {.nodes = nodes_, .groups = groups_, .customers = customers_, .names = names_}),
      applied_(database.position()) {}

absl::StatusOr<std::unique_ptr<Replica>> Replica::open(state::Database& database, seal::KeyRing& ring) {
  auto defaults = std::make_shared<const Settings>(Settings::defaults());
  std::unique_ptr<Replica> replica(new Replica(database, ring, std::move(defaults)));
  if (auto status = replica->load_definitions(); !status.ok()) return status;
  if (auto status = replica->load_keys(); !status.ok()) return status;
  replica->load_totals();
  return replica;
}

absl::Status Replica::load_definitions() {
  absl::Status status;
  definitions_.for_each(
      [&](const Hash128& key, std::string_view body) { status.Update(define(kind_of(key), body)); });
  return status;
}

absl::Status Replica::load_keys() {
  absl::Status status;
  keys_.for_each([&](const Hash128&, std::string_view record) {
    const auto key = codec::decode_data_key(record);
    status.Update(key.ok() ? ring_.load(*key) : key.status());
  });
  return status;
}

void Replica::load_totals() {
  const std::string_view bytes = totals_store_.get(Hash128{});
  if (bytes.size() == sizeof(totals_)) std::memcpy(&totals_, bytes.data(), sizeof(totals_));
}

absl::Status Replica::apply(absl::Span<const shard::LogRecord> records, Instant tick,
                            shard::Effects& effects) {
  tick_ = tick;
  if (records.empty()) return absl::OkStatus();
  if (records.front().sequence != applied_.next()) {
    return failure(absl::StatusCode::kDataLoss, "record ", applied_.next().value(),
                   " is missing: the log goes on at ", records.front().sequence.value());
  }
  // Runs of records between definitions: each definition holds for the records behind it.
  for (size_t i = 0; i < records.size();) {
    size_t end = i;
    while (end < records.size() && records[end].kind != RecordKind::kDefinition) ++end;
    if (auto status = shard_.apply(records.subspan(i, end - i), tick, effects); !status.ok()) return status;
    for (; i < end; ++i) {
      if (auto status = apply_other(records[i], tick); !status.ok()) return status;
    }
    if (i == records.size()) break;
    if (auto status = apply_definition(records[i++]); !status.ok()) return status;
  }
  applied_ = records.back().sequence;
  totals_.events += effects.events.size();
  totals_.customers += effects.customers_delta;
  absl::Status disk;
  each_store([&disk](state::Store& store) { disk.Update(store.error()); });
  return disk;
}

absl::Status Replica::apply_other(const shard::LogRecord& record, Instant tick) {
  switch (record.kind) {
    case RecordKind::kRejection: {
      ++totals_.rejections;
      return rejections_.add(record.sequence, record.payload);
    }
    case RecordKind::kRejectionClosed: {
      const auto closed = codec::decode_rejection_closed(record.payload);
      if (!closed.ok()) return closed.status();
      rejections_.close(*closed);
      return absl::OkStatus();
    }
    case RecordKind::kDataKey: {
      const auto key = codec::decode_data_key(record.payload);
      if (!key.ok()) return key.status();
      keys_.put(data_key_place(*key), record.payload);
      return ring_.load(*key);
    }
    case RecordKind::kReveal: {
      std::string blob(reinterpret_cast<const char*>(&tick), sizeof(tick));
      blob.append(record.payload);
      audit_.put(Hash128{0, record.sequence.value()}, blob);
      return absl::OkStatus();
    }
    default:
      return absl::OkStatus();
  }
}

absl::Status Replica::apply_definition(const shard::LogRecord& record) {
  const auto definition = codec::decode_definition(record.payload);
  if (!definition.ok()) return definition.status();
  if (auto status = define(definition->kind, definition->body); !status.ok()) return status;
  if (definition->kind == "settings") {
    definitions_.put(kSettingsKey, definition->body);
  } else if (definition->kind == "envelope_key") {
    const auto key = parse_envelope_key(definition->body);
    definitions_.put(envelope_key_place(key->version), definition->body);
  } else {
    definitions_.put(source_key(project()->find(definition->name)->id), definition->body);
  }
  return absl::OkStatus();
}

absl::Status Replica::define(std::string_view kind, std::string_view body) {
  if (kind == "settings") {
    auto settings = codec::settings_from_json(body);
    if (!settings.ok()) return settings.status();
    auto shared = std::make_shared<const Settings>(*std::move(settings));
    shard_.use(shared);
    publish(project()->with(std::move(shared)));
    return absl::OkStatus();
  }
  if (kind == "source") {
    auto source = parse_source(body);
    if (!source.ok()) return source.status();
    publish(project()->with(*std::move(source)));
    return absl::OkStatus();
  }
  if (kind == "envelope_key") {
    auto key = parse_envelope_key(body);
    if (!key.ok()) return key.status();
    publish(project()->with(*std::move(key)));
    return absl::OkStatus();
  }
  return failure(absl::StatusCode::kDataLoss, "the log defines an unknown thing: ", kind);
}

std::shared_ptr<const Project> Replica::project() const {
  const std::lock_guard lock(project_mutex_);
  return project_;
}

void Replica::publish(std::shared_ptr<const Project> project) {
  const std::lock_guard lock(project_mutex_);
  project_ = std::move(project);
}

std::vector<AuditEntry> Replica::audit() {
  std::vector<AuditEntry> entries;
  audit_.for_each([&](const Hash128& key, std::string_view blob) {
    AuditEntry entry;
    std::memcpy(&entry.time, blob.data(), sizeof(entry.time));
    const auto reveal = codec::decode_reveal(blob.substr(sizeof(entry.time)));
    if (!reveal.ok()) return;
    entry.sequence = Sequence(key.low);
    entry.customer = reveal->customer;
    entry.field = std::string(reveal->field);
    entry.reason = std::string(reveal->reason);
    entry.actor = std::string(reveal->actor);
    entries.push_back(std::move(entry));
  });
  std::sort(entries.begin(), entries.end(),
            [](const AuditEntry& a, const AuditEntry& b) { return a.sequence > b.sequence; });
  return entries;
}

template <class Visit>
void Replica::each_store(Visit&& visit) {
  for (state::Store* store : {&nodes_, &groups_, &customers_, &names_, &keys_, &rejected_, &definitions_,
                              &audit_, &totals_store_}) {
    visit(*store);
  }
}

void Replica::begin_checkpoint() {
  totals_store_.put(Hash128{}, {reinterpret_cast<const char*>(&totals_), sizeof(totals_)});
  checkpoint_ = {.position = applied_, .changes = std::make_unique<state::Changes>()};
  each_store([this](state::Store& store) { store.begin_checkpoint(*checkpoint_.changes); });
}

bool Replica::copy_some(size_t keys) {
  bool done = true;
  each_store([&](state::Store& store) { done = store.copy_some(keys) && done; });
  return done;
}

Replica::Checkpoint Replica::take_checkpoint() { return std::move(checkpoint_); }

void Replica::finish_checkpoint(bool written) {
  each_store(
      [written](state::Store& store) { written ? store.finish_checkpoint() : store.abandon_checkpoint(); });
}

size_t Replica::memory_bytes() const {
  return nodes_.memory() + groups_.memory() + customers_.memory() + rejected_.memory() + keys_.memory();
}

size_t Replica::dirty_blobs() const { return nodes_.dirty() + groups_.dirty() + customers_.dirty(); }

void Replica::shrink_to(size_t bytes) {
  // Customers are most of it, nodes the rest that grows with traffic.
  const size_t total = memory_bytes();
  if (total <= bytes) return;
  for (state::Store* store : {&customers_, &nodes_, &groups_, &rejected_}) {
    store->evict_to(static_cast<size_t>(static_cast<double>(store->memory()) * static_cast<double>(bytes) /
                                        static_cast<double>(total)));
  }
}

}  // namespace kehu::engine
