#include "base/text.h"
#include "codec/bytes.h"
#include "codec/record.h"

namespace kehu::codec {
namespace {

constexpr uint8_t kVersion = 1;
constexpr uint8_t kEventVersionWithChannel = 2;  // an event of a channel without a number

// The fixed part of an event record is copied as it lies in the log. Sizes and order of the fields are
// chosen so that there is no padding between them.
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
  uint32_t channel_size;  // 0 in version 1
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
  uint8_t named;
  uint32_t value_size;
  uint64_t token_high;
  uint64_t token_low;
};
static_assert(sizeof(IdentifierHeader) == 24);

constexpr uint8_t kSealedFlag = 1;
constexpr uint8_t kPreviousFlag = 2;
constexpr uint8_t kAlternativeFlag = 4;
constexpr int kStandingShift = 3;  // two bits

absl::Status damaged(std::string_view what) {
  return failure(absl::StatusCode::kDataLoss, "damaged ", what, " record");
}

template <class T>
void append_raw(const T& value, std::string& out) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

bool complete(const ByteReader& reader) { return !reader.failed() && reader.at_end(); }

}  // namespace

// The size of all identifiers is known only when they are written, so the fixed part is written in front
// without it and then once more over itself, which spares a pass over the identifiers. The two hashes have
// fixed places, because the log thread reads nothing else of an event (docs/formats/records.md).
void append_event(const Event& event, std::string& out) {
  const size_t start = out.size();
  EventHeader header{};
  header.version = event.channel.text.empty() ? kVersion : kEventVersionWithChannel;
  header.type = static_cast<uint8_t>(event.type);
  header.channel = static_cast<uint8_t>(event.channel.channel);
  header.channel_size = static_cast<uint32_t>(event.channel.text.size());
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
                                               (identifier.previous ? kPreviousFlag : 0) |
                                               (identifier.alternative ? kAlternativeFlag : 0) |
                                               static_cast<int>(identifier.standing) << kStandingShift);
    append_raw(IdentifierHeader{.type = identifier.type.value(),
                                .left_out = static_cast<uint8_t>(identifier.left_out),
                                .flags = flags,
                                .named = identifier.named,
                                .value_size = static_cast<uint32_t>(identifier.value.size()),
                                .token_high = identifier.token.hash.high,
                                .token_low = identifier.token.hash.low},
               out);
    out.append(identifier.value);
  }
  header.identifiers_size = static_cast<uint32_t>(out.size() - start - sizeof(header));
  std::memcpy(out.data() + start, &header, sizeof(header));
  out.append(event.message_id).append(event.name);
  out.append(event.properties).append(event.traits).append(event.context).append(event.channel.text);
}

// Texts have no sizes of their own: all stand in the header, and the reader has to be at the end when the
// last is taken. Everything decoded is a view into `bytes`, so an event costs no copy of its texts.
absl::Status EventRecord::decode(std::string_view bytes) {
  EventHeader header;
  if (bytes.size() < sizeof(header)) return damaged("event");
  std::memcpy(&header, bytes.data(), sizeof(header));
  const bool other = header.version == kEventVersionWithChannel;
  if (header.version != kVersion && !other) return damaged("event");
  if (header.type < 1 || header.type > 6) return damaged("event");
  if (other) {
    const bool sound = header.channel == static_cast<uint8_t>(Channel::kOther) && header.channel_size > 0 &&
                       header.channel_size <= ChannelName::kBytes;
    if (!sound) return damaged("event");
  } else if (header.channel >= kChannelCount || header.channel_size != 0) {
    return damaged("event");
  }
  ByteReader reader(bytes.substr(sizeof(header)));

  event_.project = ProjectId(header.project);
  event_.source = SourceId(header.source);
  event_.type = static_cast<EventType>(header.type);
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
                            .alternative = (fixed.flags & kAlternativeFlag) != 0,
                            .named = fixed.named,
                            .standing = static_cast<Standing>(fixed.flags >> kStandingShift & 3),
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
  const std::string_view channel = reader.take(header.channel_size);
  event_.channel = other ? ChannelName(channel) : ChannelName(static_cast<Channel>(header.channel));
  return complete(reader) ? absl::OkStatus() : damaged("event");
}

void add_event(RecordBatch& batch, const Event& event) {
  auto& entry = add_record(batch, RecordKind::kEvent, [&](std::string& out) { append_event(event, out); });
  entry.message_key = event.message_key;
  entry.body_hash = event.body_hash;
}

}  // namespace kehu::codec
