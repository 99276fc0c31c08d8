#include "replica/replica.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "codec/bytes.h"
#include "codec/record.h"
#include "definition/list.h"
#include "definition/rules.h"
#include "definition/webhook.h"

// The replica is a function of the log: it is handed records in order and without gaps, each once, and asks
// neither a clock nor chance. So a live run, a replay and a simulation end in the same state. What applying
// changes for good lies in the stores, and so belongs to the same checkpoint as the position.
namespace kehu::replica {
namespace {

// These stand beside the totals, which have the key zero.
constexpr Hash128 kArchiveNeedsKey{0, 1};
constexpr Hash128 kTickKey{0, 2};

// Rules count in the project's zone, unless they name another one.
membership::RuleVersion rule_version(Sequence version, const rule::Definition& definition,
                                     const Settings& settings) {
  const std::string& own = definition.time_zone;
  return {version, definition, own.empty() ? settings.time_zone : own};
}

// The place of a data key is its token with the key id folded in, because one token may have several.
Hash128 data_key_place(const DataKey& key) {
  return Hash128{key.token.hash.high ^ key.key_id, key.token.hash.low};
}

// Kehus without rules wrote two positions.
std::optional<ArchiveNeeds> parse_needs(std::string_view bytes) {
  uint64_t fields[3] = {};
  if (bytes.size() != sizeof(fields) && bytes.size() != sizeof(fields[0]) * 2) return std::nullopt;
  std::memcpy(fields, bytes.data(), bytes.size());
  return ArchiveNeeds{
      .rows = Sequence(fields[0]), .moves = Sequence(fields[1]), .memberships = Sequence(fields[2])};
}

}  // namespace

absl::StatusOr<std::optional<ArchiveNeeds>> archive_needs(const state::Database& database) {
  std::string bytes;
  const auto found = database.get(state::Space::kTotals, kArchiveNeedsKey, bytes);
  if (!found.ok()) return found.status();
  return *found ? parse_needs(bytes) : std::nullopt;
}

Replica::Replica(state::Database& database, seal::KeyRing& ring)
    : ring_(ring),
      stores_(database),
      keys_(stores_.at(Space::kDataKeys)),
      audit_(stores_.at(Space::kAudit)),
      totals_store_(stores_.at(Space::kTotals)),
      rejections_(stores_.at(Space::kRejections)),
      definitions_(stores_.at(Space::kDefinitions)),
      shard_(definitions_.project()->settings(), stores_),
      applied_(database.position()) {}

absl::StatusOr<std::unique_ptr<Replica>> Replica::open(state::Database& database, seal::KeyRing& ring) {
  std::unique_ptr<Replica> replica(new Replica(database, ring));
  if (auto status = replica->definitions_.load(replica->applied_); !status.ok()) return status;
  if (auto status = replica->shard_.load_rules(); !status.ok()) return status;
  replica->use_project();
  if (auto status = replica->load_keys(); !status.ok()) return status;
  replica->load_totals();
  // The visits above pass over what cannot be read: keys that are not there would show people as erased, and
  // write keys as unknown.
  if (auto status = replica->reads(); !status.ok()) return status;
  return replica;
}

void Replica::use_project() {
  const auto now = project();
  shard_.use(now->settings());
  for (const definition::Source& source : now->sources()) shard_.name_source(source.id, source.name);
  use_lists(Sequence());
  use_checks(Sequence());
  use_rules(Sequence(), older_rules());
  shard_.use(definition::webhooks_of(*now));
}

// The versions in force of rules whose newest is not yet: the registry names them, and the history has them,
// with the time zone that the project had then.
std::vector<membership::RuleVersion> Replica::older_rules() {
  std::vector<membership::RuleVersion> older;
  const auto now = project();
  std::vector<definition::NamedVersion> settings;  // newest first; read for the first that asks
  const auto settings_at = [&](Sequence version) {
    if (settings.empty()) settings = definitions_.versions(definition::kSettings, "");
    for (const definition::NamedVersion& named : settings) {
      if (named.version->sequence <= version)
        return std::static_pointer_cast<const Settings>(named.version->value);
    }
    return now->settings();
  };
  for (const membership::Registry::Rule& rule : shard_.registry().rules()) {
    const std::string_view kind = rule::to_string(rule.kind);
    const definition::Version* newest = now->find(kind, rule.name);
    if (newest == nullptr || newest->sequence == rule.version) continue;
    for (const definition::NamedVersion& named : definitions_.versions(kind, rule.name)) {
      if (named.version->sequence == rule.version)
        older.push_back(rule_version(rule.version,
                                     *static_cast<const rule::Definition*>(named.version->value.get()),
                                     *settings_at(rule.version)));
    }
  }
  return older;
}

void Replica::use_checks(Sequence position) {
  const auto now = project();
  std::vector<membership::RuleVersion> checks;
  for (const definition::NamedRule& check : definition::checks_of(*now)) {
    checks.push_back(rule_version(check.version, *check.definition, *now->settings()));
  }
  shard_.use_checks(std::move(checks), position);
}

void Replica::use_lists(Sequence position) {
  shard_.use_lists(definition::standings_of(*project()), position);
}

void Replica::use_rules(Sequence position, std::vector<membership::RuleVersion> older) {
  const auto now = project();
  std::vector<membership::RuleVersion> rules;
  for (const definition::NamedRule& rule : definition::rules_of(*now)) {
    rules.push_back(rule_version(rule.version, *rule.definition, *now->settings()));
  }
  shard_.use(std::move(rules), position, std::move(older));
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
  codec::ByteReader totals(totals_store_.get(Hash128{}));
  totals_ = {.events = totals.fixed<uint64_t>(),
             .customers = totals.fixed<int64_t>(),
             .rejections = totals.fixed<uint64_t>()};
  needs_ = parse_needs(totals_store_.get(kArchiveNeedsKey)).value_or(ArchiveNeeds{});
  codec::ByteReader tick(totals_store_.get(kTickKey));
  last_tick_.sequence = Sequence(tick.fixed<uint64_t>());
  last_tick_.time = Instant(tick.fixed<int64_t>());
}

void Replica::save_totals() {
  std::string totals, needs, tick;
  codec::ByteWriter(totals).fixed(totals_.events);
  codec::ByteWriter(totals).fixed(totals_.customers);
  codec::ByteWriter(totals).fixed(totals_.rejections);
  codec::ByteWriter(needs).fixed(needs_.rows.value());
  codec::ByteWriter(needs).fixed(needs_.moves.value());
  codec::ByteWriter(needs).fixed(needs_.memberships.value());
  codec::ByteWriter(tick).fixed(last_tick_.sequence.value());
  codec::ByteWriter(tick).fixed(last_tick_.time.micros());
  totals_store_.put(Hash128{}, totals);
  totals_store_.put(kArchiveNeedsKey, needs);
  totals_store_.put(kTickKey, tick);
}

absl::Status Replica::apply(absl::Span<const shard::LogRecord> records, Instant tick,
                            shard::Effects& effects) {
  tick_ = tick;
  if (records.empty()) return absl::OkStatus();
  if (records.front().sequence != applied_.next()) {
    return failure(absl::StatusCode::kDataLoss, "record ", applied_.next().value(),
                   " is missing: the log goes on at ", records.front().sequence.value());
  }
  // Records are applied in runs between definitions, because a definition holds for the records behind it.
  for (size_t i = 0; i < records.size();) {
    size_t end = i;
    while (end < records.size() && records[end].kind != RecordKind::kDefinition) ++end;
    if (auto status = shard_.apply(records.subspan(i, end - i), tick, effects); !status.ok()) return status;
    for (; i < end; ++i) {
      if (auto status = apply_other(records[i], tick); !status.ok()) return status;
    }
    if (i == records.size()) break;
    if (auto status = apply_definition(records[i++], tick, effects); !status.ok()) return status;
  }
  applied_ = records.back().sequence;
  totals_.events += effects.events.size();
  totals_.customers += effects.customers_delta;
  note_needs(effects);
  note_work(records, effects);
  return reads();
}

// Ticks at which nothing was due leave nothing that a checkpoint would have to keep.
void Replica::note_work(absl::Span<const shard::LogRecord> records, const shard::Effects& effects) {
  for (size_t i = records.size(); i-- > 0;) {
    if (records[i].kind == RecordKind::kTick && effects.timers_due == 0) continue;
    last_work_ = records[i].sequence;
    return;
  }
}

// The archive commits only with rows, so its own position may be far behind the state although it has
// everything. What it must have is therefore kept in the state (docs/decisions/fit.md).
void Replica::note_needs(const shard::Effects& effects) {
  if (!effects.events.empty()) needs_.rows = effects.events.back().sequence;
  if (!effects.moves.empty()) needs_.moves = applied_;
  for (const Sequence last : {effects.memberships.empty() ? Sequence() : effects.memberships.back().sequence,
                              effects.rules.empty() ? Sequence() : effects.rules.back().sequence}) {
    needs_.memberships = std::max(needs_.memberships, last);
  }
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
      std::string blob;
      codec::ByteWriter(blob).fixed(tick.micros());
      blob.append(record.payload);
      audit_.put(Hash128{0, record.sequence.value()}, blob);
      return absl::OkStatus();
    }
    case RecordKind::kTick: {
      const auto now = codec::decode_tick(record.payload);
      if (!now.ok()) return now.status();
      last_tick_ = {record.sequence, now->time};
      return absl::OkStatus();
    }
    default:
      return absl::OkStatus();
  }
}

// A refused definition is an outcome like any other: the log keeps that it was asked for.
absl::Status Replica::apply_definition(const shard::LogRecord& record, Instant tick,
                                       shard::Effects& effects) {
  const auto before = project();
  auto next = definitions_.apply(record, tick);
  if (!next.ok()) return next.status();
  absl::StatusOr<shard::Outcome> outcome = definition::Defined{record.sequence};
  if (!next->ok()) outcome = next->status();
  effects.commands.push_back({record.sequence, std::move(outcome)});
  if (!next->ok()) return absl::OkStatus();
  effects.definitions.insert(effects.definitions.end(), (*next)->versions.begin(), (*next)->versions.end());
  const auto now = project();
  const bool other_settings = now->settings() != before->settings();
  if (other_settings) shard_.use(now->settings());
  const auto changed = [&next](std::string_view kind) {
    return std::ranges::any_of((*next)->versions, [kind](const definition::NamedVersion& named) {
      return named.kind->name == kind;
    });
  };
  const bool other_rules = changed(definition::kSegment) || changed(definition::kTag);
  if (other_settings || other_rules) {
    use_rules(totals_.events == 0 ? Sequence() : record.sequence);
    shard_.note_rules(record.sequence, tick, effects);
  }
  shard_.use(definition::webhooks_of(*now));
  if (changed(definition::kList) || changed(definition::kListUploads)) use_lists(record.sequence);
  if (other_settings || changed(definition::kCheck)) use_checks(record.sequence);
  for (const definition::NamedVersion& named : (*next)->versions) {
    if (named.kind->name != definition::kSource) continue;
    const auto& source = *static_cast<const definition::Source*>(named.version->value.get());
    shard_.name_source(source.id, source.name);
  }
  return absl::OkStatus();
}

std::vector<AuditEntry> Replica::audit() {
  std::vector<AuditEntry> entries;
  audit_.for_each([&](const Hash128& key, std::string_view blob) {
    AuditEntry entry;
    codec::ByteReader time(blob);
    entry.time = Instant(time.fixed<int64_t>());
    const auto reveal = codec::decode_reveal(blob.substr(std::min(blob.size(), sizeof(int64_t))));
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

void Replica::begin_checkpoint() {
  save_totals();
  checkpoint_ = {.position = applied_, .changes = std::make_unique<state::Changes>()};
  stores_.begin_checkpoint(*checkpoint_.changes);
}

Replica::Checkpoint Replica::take_checkpoint() { return std::move(checkpoint_); }

}  // namespace kehu::replica
