#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/time.h"
#include "model/ids.h"

namespace kehu {

// What a log record holds. Everything that can change state is one of these; time itself is the tick in the
// header of every log batch. Stored: never renumber.
enum class RecordKind : uint8_t {
  kEvent = 1,            // model/event.h
  kRejection = 2,        // model/rejection.h
  kDataKey = 3,          // DataKey
  kDefinition = 4,       // Definition
  kMerge = 5,            // MergeCommand
  kUnmerge = 6,          // UnmergeCommand
  kRejectionClosed = 7,  // RejectionClosed
  kReveal = 8,           // Reveal
};

// The random key of one identifier token, wrapped by the project key. Written in the log batch of its first
// use. A token has more than one when two requests met it for the first time at once.
struct DataKey {
  Token token;
  uint64_t key_id = 0;
  std::string_view wrapped;
};

// A versioned definition: the settings of the project, one source, or one key pair that clients encrypt for,
// as JSON text.
struct Definition {
  std::string_view kind;   // "settings", "source", "envelope_key"
  std::string_view name;   // "" for settings, the source's name, the key's version
  std::string_view body;   // JSON object
  std::string_view actor;  // who changed it
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
  };
  std::string bytes;
  std::vector<Entry> entries;

  std::string_view payload(const Entry& entry) const {
    return std::string_view(bytes).substr(entry.offset, entry.size);
  }
  bool empty() const { return entries.empty(); }
};

}  // namespace kehu
