#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "model/event.h"
#include "model/intent.h"
#include "model/record.h"
#include "model/rejection.h"

// Log records as bytes: docs/formats/records.md. Every record begins with its format version; a reader
// refuses versions it does not know. Decoded values are views into the bytes.
namespace kehu::codec {

// Bytes of the fixed part of an event record, and where de-duplication finds its two numbers in it, so that
// the log thread need not decode events.
inline constexpr size_t kEventHeaderBytes = 88;
inline constexpr size_t kEventKeyOffset = 48;       // Hash128: high, low
inline constexpr size_t kEventBodyHashOffset = 64;  // uint64

inline constexpr size_t kRejectionKeyOffset = 2;  // Hash128 of a rejection record; zero: none

void append_event(const Event& event, std::string& out);
void append_rejection(const Rejection& rejection, std::string& out);
void append_data_key(const DataKey& key, std::string& out);
// Changes of one actor that hold together or not at all.
void append_definitions(absl::Span<const Definition> changes, std::string& out);
void append_merge(const MergeCommand& command, std::string& out);
void append_unmerge(const UnmergeCommand& command, std::string& out);
void append_rejection_closed(const RejectionClosed& closed, std::string& out);
void append_reveal(const Reveal& reveal, std::string& out);
void append_tick(const Tick& tick, std::string& out);
void append_reminder(const Reminder& reminder, std::string& out);
void append_receipt(const Receipt& receipt, std::string& out);

// An event and the identifiers it points to. Reusable: decoding into the same object allocates nothing.
class EventRecord {
 public:
  absl::Status decode(std::string_view bytes);
  const Event& event() const { return event_; }

 private:
  Event event_;
  std::vector<Identifier> identifiers_;
};

absl::StatusOr<Rejection> decode_rejection(std::string_view bytes);
absl::StatusOr<DataKey> decode_data_key(std::string_view bytes);
absl::StatusOr<std::vector<Definition>> decode_definitions(std::string_view bytes);
absl::StatusOr<MergeCommand> decode_merge(std::string_view bytes);
absl::StatusOr<UnmergeCommand> decode_unmerge(std::string_view bytes);
absl::StatusOr<RejectionClosed> decode_rejection_closed(std::string_view bytes);
absl::StatusOr<Reveal> decode_reveal(std::string_view bytes);
absl::StatusOr<Tick> decode_tick(std::string_view bytes);
// Parts of customers in the order of their tokens, with what tallies would have counted of their events; see
// shard/shard_backfill.cc.
struct Backfill {
  struct Entry {
    Token part;
    std::string_view tallies;  // tally/folder.h; empty in a round that asks
  };
  BackfillRound kind = BackfillRound::kNone;
  Sequence position;  // of the round
  bool last = false;  // of its records
  std::vector<Entry> entries;
};
void append_backfill(const Backfill& backfill, std::string& out);
// Views into `bytes`.
absl::StatusOr<Backfill> decode_backfill(std::string_view bytes);

absl::StatusOr<Reminder> decode_reminder(std::string_view bytes);
absl::StatusOr<Receipt> decode_receipt(std::string_view bytes);

// Adds one encoded record to a batch: `append(batch.bytes)` writes it.
template <class Append>
RecordBatch::Entry& add_record(RecordBatch& batch, RecordKind kind, Append&& append) {
  const size_t offset = batch.bytes.size();
  append(batch.bytes);
  batch.entries.push_back({.kind = kind,
                           .offset = static_cast<uint32_t>(offset),
                           .size = static_cast<uint32_t>(batch.bytes.size() - offset),
                           .message_key = {}});
  return batch.entries.back();
}

// Adds an event or a rejection with its keys of de-duplication.
void add_event(RecordBatch& batch, const Event& event);
void add_rejection(RecordBatch& batch, const Rejection& rejection);

}  // namespace kehu::codec
