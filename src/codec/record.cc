#include "codec/record.h"

#include "base/text.h"
#include "codec/bytes.h"

namespace kehu::codec {
namespace {

constexpr uint8_t kVersion = 1;

// The fixed part of an event record, as it lies in the log. No padding: sizes and order are chosen so.
struct EventHeader {
  uint8_t version;
  uint8_t type;
  uint8_t channel;
  uint8_t identifiers;
  uint32_t project;
  uint32_t source;
  uint32_t name_size;
  int64_t time;
  int64_t received_at;
  int64_t original_time;
  uint32_t message_id_size;
  uint32_t reserved;
  uint64_t key_high;
  uint64_t key_low;
  uint64_t body_hash;
  uint32_t properties_size;
  uint32_t traits_size;
  uint32_t context_size;
  uint32_t identifiers_size;
};
static_assert(sizeof(EventHeader) == kEventHeaderBytes);
static_assert(offsetof(EventHeader, key_high) == kEventKeyOffset);
static_assert(offsetof(EventHeader, body_hash) == kEventBodyHashOffset);

struct IdentifierHeader {
  uint8_t type;
  uint8_t left_out;
  uint8_t flags;
  uint8_t reserved;
  uint32_t value_size;
  uint64_t token_high;
  uint64_t token_low;
};
static_assert(sizeof(IdentifierHeader) == 24);

constexpr uint8_t kSealedFlag = 1;
constexpr uint8_t kPreviousFlag = 2;

absl::Status damaged(std::string_view what) {
  return failure(absl::StatusCode::kDataLoss, "damaged ", what, " record");
}

template <class T>
void append_raw(const T& value, std::string& out) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

ByteReader open(std::string_view bytes, bool& known_version) {
  ByteReader reader(bytes);
  known_version = reader.fixed<uint8_t>() == kVersion;
  return reader;
}

bool complete(const ByteReader& reader) { return !reader.failed() && reader.at_end(); }

}  // namespace

void append_event(const Event& event, std::string& out) {
  const size_t start = out.size();
  EventHeader header{};
  header.version = kVersion;
  header.type = static_cast<uint8_t>(event.type);
  header.channel = static_cast<uint8_t>(event.channel);
  header.identifiers = static_cast<uint8_t>(event.identifiers.size());
  header.project = event.project.value();
  header.source = event.source.value();
  header.name_size = static_cast<uint32_t>(event.name.size());
  header.time = event.time.micros();
  header.received_at = event.received_at.micros();
  header.original_time = event.original_time.micros();
  header.message_id_size = static_cast<uint32_t>(event.message_id.size());
  header.key_high = event.message_key.high;
  header.key_low = event.message_key.low;
  header.body_hash = event.body_hash;
  header.properties_size = static_cast<uint32_t>(event.properties.size());
  header.traits_size = static_cast<uint32_t>(event.traits.size());
  header.context_size = static_cast<uint32_t>(event.context.size());
  append_raw(header, out);
  for (const Identifier& identifier : event.identifiers) {
    const uint8_t flags = static_cast<uint8_t>((identifier.sealed ? kSealedFlag : 0) |
                                               (identifier.previous ? kPreviousFlag : 0));
    append_raw(IdentifierHeader{.type = identifier.type.value(),
                                .left_out = static_cast<uint8_t>(identifier.left_out),
                                .flags = flags,
                                .reserved = 0,
                                .value_size = static_cast<uint32_t>(identifier.value.size()),
                                .token_high = identifier.token.hash.high,
                                .token_low = identifier.token.hash.low},
               out);
    out.append(identifier.value);
  }
  header.identifiers_size = static_cast<uint32_t>(out.size() - start - sizeof(header));
  std::memcpy(out.data() + start, &header, sizeof(header));
  out.append(event.message_id).append(event.name);
  out.append(event.properties).append(event.traits).append(event.context);
}

absl::Status EventRecord::decode(std::string_view bytes) {
  EventHeader header;
  if (bytes.size() < sizeof(header)) return damaged("event");
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.version != kVersion) return damaged("event");
  if (header.type < 1 || header.type > 6 || header.channel >= kChannelCount) return damaged("event");
  ByteReader reader(bytes.substr(sizeof(header)));

  event_.project = ProjectId(header.project);
  event_.source = SourceId(header.source);
  event_.type = static_cast<EventType>(header.type);
  event_.channel = static_cast<Channel>(header.channel);
  event_.time = Instant(header.time);
  event_.received_at = Instant(header.received_at);
  event_.original_time = Instant(header.original_time);
  event_.message_key = Hash128{header.key_high, header.key_low};
  event_.body_hash = header.body_hash;

  identifiers_.clear();
  ByteReader list(reader.take(header.identifiers_size));
  for (int i = 0; i < header.identifiers; ++i) {
    const auto fixed = list.fixed<IdentifierHeader>();
    identifiers_.push_back({.type = IdentifierTypeId(fixed.type),
                            .left_out = static_cast<LeftOut>(fixed.left_out),
                            .sealed = (fixed.flags & kSealedFlag) != 0,
                            .previous = (fixed.flags & kPreviousFlag) != 0,
                            .token = Token{Hash128{fixed.token_high, fixed.token_low}},
                            .value = list.take(fixed.value_size)});
  }
  if (!complete(list)) return damaged("event");
  event_.identifiers = identifiers_;
  event_.message_id = reader.take(header.message_id_size);
  event_.name = reader.take(header.name_size);
  event_.properties = reader.take(header.properties_size);
  event_.traits = reader.take(header.traits_size);
  event_.context = reader.take(header.context_size);
  return complete(reader) ? absl::OkStatus() : damaged("event");
}

void add_event(RecordBatch& batch, const Event& event) {
  auto& entry = add_record(batch, RecordKind::kEvent, [&](std::string& out) { append_event(event, out); });
  entry.message_key = event.message_key;
  entry.body_hash = event.body_hash;
}

void append_rejection(const Rejection& rejection, std::string& out) {
  ByteWriter writer(out);
  writer.fixed(kVersion);
  writer.fixed(static_cast<uint8_t>(rejection.reason));
  writer.fixed(rejection.repeat_key.high);
  writer.fixed(rejection.repeat_key.low);
  writer.fixed(rejection.project.value());
  writer.fixed(rejection.source.value());
  writer.fixed(rejection.received_at.micros());
  writer.text(rejection.path);
  writer.text(rejection.detail);
  writer.text(rejection.origin);
  writer.text(rejection.sealed_payload);
}

absl::StatusOr<Rejection> decode_rejection(std::string_view bytes) {
  bool known;
  ByteReader reader = open(bytes, known);
  Rejection rejection;
  const auto reason = reader.fixed<uint8_t>();
  rejection.reason = static_cast<Reason>(reason);
  rejection.repeat_key.high = reader.fixed<uint64_t>();
  rejection.repeat_key.low = reader.fixed<uint64_t>();
  rejection.project = ProjectId(reader.fixed<uint32_t>());
  rejection.source = SourceId(reader.fixed<uint32_t>());
  rejection.received_at = Instant(reader.fixed<int64_t>());
  rejection.path = reader.text();
  rejection.detail = reader.text();
  rejection.origin = reader.text();
  rejection.sealed_payload = reader.text();
  const bool valid = known && reason >= 1 && reason < kReasonCount && complete(reader);
  if (!valid) return damaged("rejection");
  return rejection;
}

void add_rejection(RecordBatch& batch, const Rejection& rejection) {
  auto& entry =
      add_record(batch, RecordKind::kRejection, [&](std::string& out) { append_rejection(rejection, out); });
  entry.message_key = rejection.repeat_key;
}

void append_data_key(const DataKey& key, std::string& out) {
  ByteWriter writer(out);
  writer.fixed(kVersion);
  writer.fixed(key.token.hash.high);
  writer.fixed(key.token.hash.low);
  writer.fixed(key.key_id);
  writer.text(key.wrapped);
}

absl::StatusOr<DataKey> decode_data_key(std::string_view bytes) {
  bool known;
  ByteReader reader = open(bytes, known);
  DataKey key;
  key.token.hash.high = reader.fixed<uint64_t>();
  key.token.hash.low = reader.fixed<uint64_t>();
  key.key_id = reader.fixed<uint64_t>();
  key.wrapped = reader.text();
  if (!known || !complete(reader)) return damaged("data key");
  return key;
}

void append_definition(const Definition& definition, std::string& out) {
  ByteWriter writer(out);
  writer.fixed(kVersion);
  writer.text(definition.kind);
  writer.text(definition.name);
  writer.text(definition.body);
  writer.text(definition.actor);
}

absl::StatusOr<Definition> decode_definition(std::string_view bytes) {
  bool known;
  ByteReader reader = open(bytes, known);
  Definition definition;
  definition.kind = reader.text();
  definition.name = reader.text();
  definition.body = reader.text();
  definition.actor = reader.text();
  if (!known || !complete(reader)) return damaged("definition");
  return definition;
}

void append_merge(const MergeCommand& command, std::string& out) {
  ByteWriter writer(out);
  writer.fixed(kVersion);
  for (const Token& token : {command.winner, command.loser}) {
    writer.fixed(token.hash.high);
    writer.fixed(token.hash.low);
  }
  writer.text(command.reason);
  writer.text(command.actor);
}

absl::StatusOr<MergeCommand> decode_merge(std::string_view bytes) {
  bool known;
  ByteReader reader = open(bytes, known);
  MergeCommand command;
  for (Token* token : {&command.winner, &command.loser}) {
    token->hash.high = reader.fixed<uint64_t>();
    token->hash.low = reader.fixed<uint64_t>();
  }
  command.reason = reader.text();
  command.actor = reader.text();
  if (!known || !complete(reader)) return damaged("merge");
  return command;
}

void append_unmerge(const UnmergeCommand& command, std::string& out) {
  ByteWriter writer(out);
  writer.fixed(kVersion);
  writer.fixed(command.link.value());
  writer.fixed(command.customer.hash.high);
  writer.fixed(command.customer.hash.low);
  writer.text(command.reason);
  writer.text(command.actor);
}

absl::StatusOr<UnmergeCommand> decode_unmerge(std::string_view bytes) {
  bool known;
  ByteReader reader = open(bytes, known);
  UnmergeCommand command;
  command.link = Sequence(reader.fixed<uint64_t>());
  command.customer.hash.high = reader.fixed<uint64_t>();
  command.customer.hash.low = reader.fixed<uint64_t>();
  command.reason = reader.text();
  command.actor = reader.text();
  if (!known || !complete(reader)) return damaged("unmerge");
  return command;
}

void append_rejection_closed(const RejectionClosed& closed, std::string& out) {
  ByteWriter writer(out);
  writer.fixed(kVersion);
  writer.fixed(closed.rejection.value());
  writer.fixed(static_cast<uint8_t>(closed.outcome));
  writer.text(closed.actor);
}

absl::StatusOr<RejectionClosed> decode_rejection_closed(std::string_view bytes) {
  bool known;
  ByteReader reader = open(bytes, known);
  RejectionClosed closed;
  closed.rejection = Sequence(reader.fixed<uint64_t>());
  const auto outcome = reader.fixed<uint8_t>();
  closed.outcome = static_cast<RejectionOutcome>(outcome);
  closed.actor = reader.text();
  const bool valid = known && (outcome == 1 || outcome == 2) && complete(reader);
  if (!valid) return damaged("closed rejection");
  return closed;
}

void append_reveal(const Reveal& reveal, std::string& out) {
  ByteWriter writer(out);
  writer.fixed(kVersion);
  writer.fixed(reveal.customer.hash.high);
  writer.fixed(reveal.customer.hash.low);
  writer.text(reveal.field);
  writer.text(reveal.reason);
  writer.text(reveal.actor);
}

absl::StatusOr<Reveal> decode_reveal(std::string_view bytes) {
  bool known;
  ByteReader reader = open(bytes, known);
  Reveal reveal;
  reveal.customer.hash.high = reader.fixed<uint64_t>();
  reveal.customer.hash.low = reader.fixed<uint64_t>();
  reveal.field = reader.text();
  reveal.reason = reader.text();
  reveal.actor = reader.text();
  if (!known || !complete(reader)) return damaged("reveal");
  return reveal;
}

}  // namespace kehu::codec
