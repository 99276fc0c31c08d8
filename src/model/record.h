#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/time.h"
#include "model/ids.h"

namespace kehu {

// What a log record holds. Everything that can change state is one of these, time itself included. (The
// header of a log batch has a time of its own: when it was written. It dates what the batch holds, and moves
// nothing.) Stored: never renumber.
enum class RecordKind : uint8_t {
  kEvent = 1,            // model/event.h
  kRejection = 2,        // model/rejection.h
  kDataKey = 3,          // DataKey
  kDefinition = 4,       // Definition, one or several that hold together or not at all
  kMerge = 5,            // MergeCommand
  kUnmerge = 6,          // UnmergeCommand
  kRejectionClosed = 7,  // RejectionClosed
  kReveal = 8,           // Reveal
  kWithdrawn = 9,        // text: what stood here was withdrawn, see directory/withdrawal.h
  kTick = 10,            // Tick
  kReminder = 11,        // model/intent.h
  kReceipt = 12,         // model/intent.h
  kBackfill = 13,        // codec::Backfill: what rules would have counted before they were made
  kMeasurement = 14,     // codec::Measurement: what was found out about all customers together
};

// The rounds in which new rules are filled in. Stored: never renumber.
enum class BackfillRound : uint8_t {
  kNone = 0,
  kCount = 1,  // what tallies have missed
  kAsk = 2,    // every customer is asked
};

// What was measured. Stored: never renumber.
enum class MeasurementKind : uint8_t {
  kCuts = 1,       // where the hundredths of a number begin
  kValues = 2,     // what a statement has come to for some customers
  kFailure = 3,    // that a statement could not be run
  kAgreement = 4,  // how often a source's values agree with own facts
};

// The random key of one identifier token, wrapped by the project key. Written in the log batch of its first
// use. A token has more than one when two requests met it for the first time at once.
struct DataKey {
  Token token;
  uint64_t key_id = 0;
  std::string_view wrapped;
};

// One version of a definition: the settings of the project, a source, a key pair that clients encrypt for, a
// file that was imported. Which kinds there are, and what they may say: definition/kind.h.
struct Definition {
  std::string_view kind;   // "settings", "source", "envelope_key", "imported_file"; "former_settings" of none
  std::string_view name;   // "" for settings, the source's name, the key's version, the file's key
  std::string_view body;   // JSON object; empty of one that is deleted
  std::string_view actor;  // who changed it
  // The last version that whoever made this one knew of, or any record behind that: if another version came
  // later, this one is refused. Zero: none was known. nullopt: it takes the place of whatever is there.
  std::optional<Sequence> base = {};
  bool deleted = false;
};

struct MergeCommand {
  Token winner;
  Token loser;
  std::string_view reason;
  std::string_view actor;
};

// Takes apart what the link at `link` joined.
struct UnmergeCommand {
  Sequence link;
  CustomerId customer;
  std::string_view reason;
  std::string_view actor;
};

// It is this late now: what is due by then happens at this place of the log, in every replay again. Written
// once a second and whenever something is due. A clock that is set back gives earlier ticks.
struct Tick {
  Instant time;
};

enum class RejectionOutcome : uint8_t { kRepaired = 1, kDiscarded = 2 };

struct RejectionClosed {
  Sequence rejection;
  RejectionOutcome outcome = RejectionOutcome::kRepaired;
  std::string_view actor;
};

// A person asked to see a sealed value; written before the value is shown.
struct Reveal {
  CustomerId customer;
  std::string_view field;
  std::string_view reason;
  std::string_view actor;
};

// What the log made of one record of a batch. `sequence` is zero when nothing was written for it.
struct RecordFate {
  enum class Kind : uint8_t { kWritten, kRepeat, kConflict };
  Kind kind = Kind::kWritten;
  Sequence sequence;
};

// Records on their way from a request to the log: encoded, not yet numbered. One allocation for all of them.
struct RecordBatch {
  struct Entry {
    RecordKind kind;
    uint32_t offset;
    uint32_t size;
    Hash128 message_key;  // of events and of rejections with a repeat_key; else zero
    uint64_t body_hash = 0;
    // Of an event that was perhaps sent under other ids before: known by one of them with the same body, it
    // is a repeat. Zero: no key.
    std::array<Hash128, 2> former_keys = {};
  };
  std::string bytes;
  std::vector<Entry> entries;

  std::string_view payload(const Entry& entry) const {
    return std::string_view(bytes).substr(entry.offset, entry.size);
  }
  bool empty() const { return entries.empty(); }
};

}  // namespace kehu
