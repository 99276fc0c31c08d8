#include "codec/record.h"

#include <type_traits>

#include "base/text.h"
#include "codec/bytes.h"
#include "codec/former_origin.h"

namespace kehu::codec {
namespace {

constexpr uint8_t kVersion = 1;
// Definitions of this version name what they replace, are deleted, or stand beside others in one record.
constexpr uint8_t kVersionOfChanges = 2;
// Rejections of this version say in which form their payload is.
constexpr uint8_t kVersionOfForms = 2;
constexpr Sequence kAnyBase(UINT64_MAX);

// A record's fields are listed once, by fields() below, for both directions: a Writer appends each, a Reader
// sets each. So what is written in one order cannot be read in another.
class Writer {
 public:
  explicit Writer(std::string& out) : bytes_(out) {}

  template <class... Fields>
  void operator()(const Fields&... fields) {
    (one(fields), ...);
  }

 private:
  void one(std::string_view text) { bytes_.text(text); }
  void one(const Hash128& hash) { (*this)(hash.high, hash.low); }
  void one(const Token& token) { one(token.hash); }
  void one(const CustomerId& customer) { one(customer.hash); }
  void one(Instant instant) { bytes_.fixed(instant.micros()); }
  template <class Tag, class Rep>
  void one(Strong<Tag, Rep> value) {
    bytes_.fixed(value.value());
  }
  template <class Number>
  requires std::is_arithmetic_v<Number> || std::is_enum_v<Number>
  void one(Number value) { bytes_.fixed(value); }

  ByteWriter bytes_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  template <class... Fields>
  void operator()(Fields&... fields) {
    (one(fields), ...);
  }
  // Everything was there, and nothing behind it.
  bool complete() const { return !bytes_.failed() && bytes_.at_end(); }
  bool failed() const { return bytes_.failed(); }

 private:
  void one(std::string_view& text) { text = bytes_.text(); }
  void one(Hash128& hash) { (*this)(hash.high, hash.low); }
  void one(Token& token) { one(token.hash); }
  void one(CustomerId& customer) { one(customer.hash); }
  void one(Instant& instant) { instant = Instant(bytes_.fixed<int64_t>()); }
  template <class Tag, class Rep>
  void one(Strong<Tag, Rep>& value) {
    value = Strong<Tag, Rep>(bytes_.fixed<Rep>());
  }
  template <class Number>
  requires std::is_arithmetic_v<Number> || std::is_enum_v<Number>
  void one(Number& value) { value = bytes_.fixed<Number>(); }

  ByteReader bytes_;
};

// Lists the fields of each record, once for both directions. `Record` is const for a writer and not const
// for a reader; the order here is the order of the bytes, so a new field goes to the end and under a new
// version.
template <class Archive, class Record>
void fields(Archive& archive, Record& record) {
  using Type = std::remove_const_t<Record>;
  if constexpr (std::is_same_v<Type, Rejection>) {
    archive(record.reason, record.repeat_key, record.project, record.source, record.received_at, record.path,
            record.detail, record.origin, record.sealed_payload);
  } else if constexpr (std::is_same_v<Type, DataKey>) {
    archive(record.token, record.key_id, record.wrapped);
  } else if constexpr (std::is_same_v<Type, MergeCommand>) {
    archive(record.winner, record.loser, record.reason, record.actor);
  } else if constexpr (std::is_same_v<Type, UnmergeCommand>) {
    archive(record.link, record.customer, record.reason, record.actor);
  } else if constexpr (std::is_same_v<Type, RejectionClosed>) {
    archive(record.rejection, record.outcome, record.actor);
  } else if constexpr (std::is_same_v<Type, Reveal>) {
    archive(record.customer, record.field, record.reason, record.actor);
  } else if constexpr (std::is_same_v<Type, Tick>) {
    archive(record.time);
  } else if constexpr (std::is_same_v<Type, Reminder>) {
    archive(record.due, record.customer, record.channel, record.text);
  } else if constexpr (std::is_same_v<Type, Receipt>) {
    archive(record.intent.sequence, record.intent.ordinal, record.outcome, record.detail);
  } else {
    static_assert(std::is_same_v<Type, Definition>);
    archive(record.kind, record.name, record.body, record.actor);  // version 1
  }
}

template <class Record>
void append(const Record& record, std::string& out) {
  Writer writer(out);
  writer(kVersion);
  fields(writer, record);
}

template <class Record>
absl::StatusOr<Record> decode(std::string_view bytes, std::string_view name) {
  Reader reader(bytes);
  uint8_t version = 0;
  Record record;
  reader(version);
  fields(reader, record);
  if (version != kVersion || !reader.complete()) {
    return failure(absl::StatusCode::kDataLoss, "damaged ", name, " record");
  }
  return record;
}

template <class Enum>
bool is_one_of(Enum value, int count) {
  return static_cast<int>(value) >= 1 && static_cast<int>(value) < count;
}

// The count is not trusted with memory: changes are added one by one, and the first that is cut off ends
// the loop.
absl::StatusOr<std::vector<Definition>> decode_changes(std::string_view bytes) {
  Reader reader(bytes);
  uint8_t version = 0;
  std::string_view actor;
  uint32_t count = 0;
  reader(version, actor, count);
  std::vector<Definition> changes;
  for (uint32_t i = 0; i < count && !reader.failed(); ++i) {
    Definition change;
    Sequence base;
    uint8_t deleted = 0;
    reader(base, deleted, change.kind, change.name, change.body);
    change.actor = actor;
    change.deleted = deleted != 0;
    if (base != kAnyBase) change.base = base;
    changes.push_back(change);
  }
  if (!reader.complete()) return absl::DataLossError("damaged definition record");
  return changes;
}

}  // namespace

void append_rejection(const Rejection& rejection, std::string& out) {
  Writer writer(out);
  writer(kVersionOfForms);
  fields(writer, rejection);
  writer(rejection.protocol, rejection.type.value_or(EventType{}));
}

void append_data_key(const DataKey& key, std::string& out) { append(key, out); }
void append_merge(const MergeCommand& command, std::string& out) { append(command, out); }
void append_unmerge(const UnmergeCommand& command, std::string& out) { append(command, out); }
void append_rejection_closed(const RejectionClosed& closed, std::string& out) { append(closed, out); }
void append_reveal(const Reveal& reveal, std::string& out) { append(reveal, out); }
void append_tick(const Tick& tick, std::string& out) { append(tick, out); }
void append_reminder(const Reminder& reminder, std::string& out) { append(reminder, out); }
void append_receipt(const Receipt& receipt, std::string& out) { append(receipt, out); }

// A single change without a base says nothing that version 1 has no place for, so it is written as version
// 1, in the bytes that it always had.
void append_definitions(absl::Span<const Definition> changes, std::string& out) {
  if (changes.size() == 1 && !changes[0].base && !changes[0].deleted) return append(changes[0], out);
  Writer writer(out);
  writer(kVersionOfChanges, changes.empty() ? std::string_view() : changes[0].actor,
         static_cast<uint32_t>(changes.size()));
  for (const Definition& change : changes) {
    writer(change.base.value_or(kAnyBase), static_cast<uint8_t>(change.deleted), change.kind, change.name,
           change.body);
  }
}

// Version 1 is read for ever, since the log may still have it. What it leaves open is taken from its
// origin.
absl::StatusOr<Rejection> decode_rejection(std::string_view bytes) {
  Reader reader(bytes);
  uint8_t version = 0;
  Rejection rejection;
  EventType type{};
  reader(version);
  fields(reader, rejection);
  if (version == kVersionOfForms) {
    reader(rejection.protocol, type);
    if (type != EventType{}) rejection.type = type;
  } else {
    const FormerOrigin former = FormerOrigin::read(rejection.origin);
    rejection.protocol = former.protocol;
    rejection.type = former.type;
  }
  const bool known = (version == kVersion || version == kVersionOfForms) &&
                     is_one_of(rejection.reason, kReasonCount) &&
                     is_one_of(rejection.protocol, kProtocolCount) && type <= EventType::kAlias;
  if (!known || !reader.complete()) return absl::DataLossError("damaged rejection record");
  return rejection;
}

absl::StatusOr<DataKey> decode_data_key(std::string_view bytes) { return decode<DataKey>(bytes, "data key"); }

absl::StatusOr<std::vector<Definition>> decode_definitions(std::string_view bytes) {
  if (!bytes.empty() && bytes[0] == kVersionOfChanges) return decode_changes(bytes);
  auto definition = decode<Definition>(bytes, "definition");
  if (!definition.ok()) return definition.status();
  return std::vector<Definition>{*definition};
}

absl::StatusOr<MergeCommand> decode_merge(std::string_view bytes) {
  return decode<MergeCommand>(bytes, "merge");
}

absl::StatusOr<UnmergeCommand> decode_unmerge(std::string_view bytes) {
  return decode<UnmergeCommand>(bytes, "unmerge");
}

absl::StatusOr<RejectionClosed> decode_rejection_closed(std::string_view bytes) {
  auto closed = decode<RejectionClosed>(bytes, "closed rejection");
  if (!closed.ok()) return closed;
  const bool known =
      closed->outcome == RejectionOutcome::kRepaired || closed->outcome == RejectionOutcome::kDiscarded;
  if (!known) return absl::DataLossError("damaged closed rejection record");
  return closed;
}

absl::StatusOr<Reveal> decode_reveal(std::string_view bytes) { return decode<Reveal>(bytes, "reveal"); }
absl::StatusOr<Tick> decode_tick(std::string_view bytes) { return decode<Tick>(bytes, "tick"); }

absl::StatusOr<Reminder> decode_reminder(std::string_view bytes) {
  auto reminder = decode<Reminder>(bytes, "reminder");
  if (!reminder.ok()) return reminder;
  const bool fits = !reminder->channel.empty() && reminder->channel.size() <= Intent::kChannelBytes &&
                    reminder->text.size() <= Reminder::kTextBytes;
  if (!fits) return absl::DataLossError("damaged reminder record");
  return reminder;
}

absl::StatusOr<Receipt> decode_receipt(std::string_view bytes) {
  auto receipt = decode<Receipt>(bytes, "receipt");
  if (!receipt.ok()) return receipt;
  const bool known =
      receipt->outcome == IntentOutcome::kDelivered || receipt->outcome == IntentOutcome::kRefused;
  if (!known) return absl::DataLossError("damaged receipt record");
  return receipt;
}

void append_backfill(const Backfill& backfill, std::string& out) {
  ByteWriter writer(out);
  writer.fixed(static_cast<uint8_t>(backfill.kind));
  writer.fixed(backfill.position.value());
  writer.fixed(static_cast<uint8_t>(backfill.last ? 1 : 0));
  writer.fixed(static_cast<uint32_t>(backfill.entries.size()));
  for (const Backfill::Entry& entry : backfill.entries) {
    writer.fixed(entry.part.hash.high);
    writer.fixed(entry.part.hash.low);
    writer.text(entry.tallies);
  }
}

absl::StatusOr<Backfill> decode_backfill(std::string_view bytes) {
  ByteReader reader(bytes);
  Backfill backfill;
  backfill.kind = static_cast<BackfillRound>(reader.fixed<uint8_t>());
  backfill.position = Sequence(reader.fixed<uint64_t>());
  backfill.last = reader.fixed<uint8_t>() == 1;
  for (uint32_t left = reader.fixed<uint32_t>(); left > 0 && !reader.failed(); --left) {
    Backfill::Entry& entry = backfill.entries.emplace_back();
    entry.part.hash.high = reader.fixed<uint64_t>();
    entry.part.hash.low = reader.fixed<uint64_t>();
    entry.tallies = reader.text();
  }
  const bool known = backfill.kind == BackfillRound::kCount || backfill.kind == BackfillRound::kAsk;
  if (reader.failed() || !reader.at_end() || !known) return absl::DataLossError("damaged back-fill record");
  return backfill;
}

void add_rejection(RecordBatch& batch, const Rejection& rejection) {
  auto& entry =
      add_record(batch, RecordKind::kRejection, [&](std::string& out) { append_rejection(rejection, out); });
  entry.message_key = rejection.repeat_key;
}

}  // namespace kehu::codec
