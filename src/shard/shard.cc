#include "shard/shard.h"

#include <algorithm>

#include "base/check.h"
#include "base/text.h"
#include "profile/view.h"

namespace kehu::shard {
namespace {

// Events are applied in waves: decode, prefetch identities, resolve, prefetch customers, fold. A wave is long
// enough to hide the memory behind the work and short enough to stay in the second-level cache. Identity does
// not depend on profiles, so resolving a whole wave first gives the same as going event by event.
constexpr size_t kWave = 256;

}  // namespace

Shard::Shard(std::shared_ptr<const Settings> settings, Stores stores)
    : settings_(std::move(settings)),
      stores_(stores),
      graph_(*settings_, stores.nodes, stores.groups),
      plan_(*settings_),
      names_(stores.names) {}

void Shard::use(std::shared_ptr<const Settings> settings) {
  graph_.use(*settings);
  plan_ = profile::Plan(*settings);
  settings_ = std::move(settings);
}

absl::Status Shard::apply(absl::Span<const LogRecord> records, Instant tick, Effects& effects) {
  for (size_t i = 0; i < records.size();) {
    size_t end = i;
    while (end < records.size() && end - i < kWave && records[end].kind == RecordKind::kEvent) ++end;
    const bool command = end == i;
    const absl::Status status = command ? apply_command(records[i], tick, effects)
                                        : apply_events(records.subspan(i, end - i), effects);
    if (!status.ok()) return status;
    i = command ? i + 1 : end;
  }
  return absl::OkStatus();
}

absl::Status Shard::apply_events(absl::Span<const LogRecord> records, Effects& effects) {
  if (auto status = decode(records, effects); !status.ok()) return status;
  resolve(records);
  for (size_t i = 0; i < records.size(); ++i) {
    const identity::Resolution& whose = resolutions_[i];
    for (const identity::Move& part : whose.moves) {
      if (auto status = move(part, effects); !status.ok()) return status;
    }
    const Applied applied{.event = events_[i],
                          .sequence = records[i].sequence,
                          .customer = whose.customer,
                          .part = whose.part,
                          .new_customer = whose.new_customer};
    if (!applied.customer.hash.is_zero()) {
      if (auto status = fold(applied, effects); !status.ok()) return status;
    }
    effects.events.push_back(applied);
  }
  return absl::OkStatus();
}

absl::Status Shard::decode(absl::Span<const LogRecord> records, Effects& effects) {
  events_.clear();
  for (const LogRecord& record : records) {
    codec::EventRecord& event = effects.next_decoded();
    if (auto status = event.decode(record.payload); !status.ok()) {
      return failure(absl::StatusCode::kDataLoss, "log record ", record.sequence.value(), ": ",
                     message_of(status));
    }
    events_.push_back(&event.event());
  }
  return absl::OkStatus();
}

void Shard::resolve(absl::Span<const LogRecord> records) {
  graph_.prefetch(events_);
  resolutions_.clear();
  keys_.clear();
  for (size_t i = 0; i < records.size(); ++i) {
    resolutions_.push_back(graph_.resolve(*events_[i], records[i].sequence));
    keys_.push_back(resolutions_.back().customer.hash);
  }
  stores_.customers.prefetch(keys_);
}

absl::Status Shard::fold(const Applied& applied, Effects& effects) {
  if (auto status = parts_.decode(stores_.customers.get(applied.customer.hash)); !status.ok()) return status;
  auto status = folder_.fold(plan_, parts_.find(applied.part), *applied.event, folded_);
  if (!status.ok()) return status;
  for (const profile::MetName& name : folder_.new_names()) names_.learn(name.id, name.text);
  effects.customers_delta += parts_.empty() ? 1 : 0;
  parts_.encode_with(applied.part, folded_, blob_);
  stores_.customers.put(applied.customer.hash, blob_);
  return absl::OkStatus();
}

absl::Status Shard::move(const identity::Move& moved, Effects& effects) {
  effects.moves.push_back(moved);
  if (auto status = parts_.decode(stores_.customers.get(moved.from.hash)); !status.ok()) return status;
  const std::string carried(parts_.find(moved.part));
  if (carried.empty() || moved.from == moved.to) return absl::OkStatus();
  parts_.encode_with(moved.part, {}, blob_);
  effects.customers_delta -= blob_.empty() ? 1 : 0;
  put_or_erase(moved.from);

  if (auto status = parts_.decode(stores_.customers.get(moved.to.hash)); !status.ok()) return status;
  if (auto status = folder_.merge(parts_.find(moved.part), carried, folded_); !status.ok()) return status;
  effects.customers_delta += parts_.empty() ? 1 : 0;
  parts_.encode_with(moved.part, folded_, blob_);
  put_or_erase(moved.to);
  return absl::OkStatus();
}

void Shard::put_or_erase(CustomerId customer) {
  if (blob_.empty()) {
    stores_.customers.erase(customer.hash);
  } else {
    stores_.customers.put(customer.hash, blob_);
  }
}

absl::Status Shard::apply_command(const LogRecord& record, Instant tick, Effects& effects) {
  absl::StatusOr<identity::Outcome> outcome = absl::UnknownError("not a command");
  if (record.kind == RecordKind::kMerge) {
    const auto command = codec::decode_merge(record.payload);
    if (!command.ok()) return command.status();
    outcome = graph_.merge(*command, record.sequence, tick);
  } else if (record.kind == RecordKind::kUnmerge) {
    const auto command = codec::decode_unmerge(record.payload);
    if (!command.ok()) return command.status();
    outcome = graph_.unmerge(*command, record.sequence, tick);
  } else {
    return absl::OkStatus();
  }
  if (outcome.ok()) {
    for (const identity::Move& part : outcome->moves) {
      if (auto status = move(part, effects); !status.ok()) return status;
    }
  }
  // A refused command is a result too: the log keeps that it was asked, the caller learns why not.
  effects.commands.push_back({record.sequence, std::move(outcome)});
  return absl::OkStatus();
}

absl::StatusOr<ProfileView> Shard::profile(CustomerId customer, Instant now) {
  CustomerParts parts;
  const std::string blob(stores_.customers.get(customer.hash));
  if (auto status = parts.decode(blob); !status.ok()) return status;
  std::vector<std::string_view> bytes;
  for (const Part& part : parts.parts()) bytes.push_back(part.bytes);
  return profile::view(*settings_, bytes, now, [this](NameId id) { return names_.text(id); });
}

absl::StatusOr<std::vector<Token>> Shard::parts(CustomerId customer) {
  CustomerParts parts;
  const std::string blob(stores_.customers.get(customer.hash));
  if (auto status = parts.decode(blob); !status.ok()) return status;
  std::vector<Token> tokens;
  for (const Part& part : parts.parts()) tokens.push_back(part.token);
  return tokens;
}

// Sums do not depend on the order in which a store visits its blobs.
uint64_t Shard::digest() {
  uint64_t sum = 0;
  const auto add = [&sum](const Hash128& key, std::string_view bytes) {
    sum += hash_combine(hash_combine(key.high, key.low), hash64(bytes));
  };
  stores_.nodes.for_each(add);
  stores_.groups.for_each(add);
  stores_.customers.for_each(add);
  return sum;
}

uint64_t Shard::content_digest() {
  uint64_t sum = 0;
  stores_.customers.for_each([&sum](const Hash128&, std::string_view blob) {
    CustomerParts parts;
    KEHU_CHECK(parts.decode(blob).ok());
    for (const Part& part : parts.parts()) {
      sum +=
          hash_combine(hash_combine(part.token.hash.high, part.token.hash.low), profile::digest(part.bytes));
    }
  });
  return sum;
}

}  // namespace kehu::shard
