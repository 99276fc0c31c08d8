#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/hash.h"
#include "log/position.h"
#include "model/record.h"
#include "os/file_system.h"

namespace kehu::duplicates {

using namespace log;

enum class Verdict {
  kNew,       // first seen; now remembered
  kRepeat,    // seen with the same body
  kConflict,  // seen with another body; the first one stays
};

// What tells one message from another.
struct MessageIdentity {
  Hash128 key;             // hash of (project, source, message id)
  uint64_t body_hash = 0;  // its low 32 bits are compared
};

// Finds the identity in a record's payload; nullopt for records that have none.
using IdentityOf = std::optional<MessageIdentity> (*)(RecordKind kind, std::string_view payload);

// Remembers every message of the log's retention: 16 bytes a slot, ~32 bytes a message. Exact up to the hash:
// 76 bits of the key are compared, so a false conflict among 20 M messages has a chance of 3·10^-9, and a
// false repeat, where 32 bits of the body must agree too, one of 10^-18. One thread (the log's).
//
// The keys of each sealed segment are kept in a sidecar file, so that load() need not read the events again.
class DuplicateFilter {
 public:
  // Remembers what the log in `directory` holds. Call after Writer::open.
  static absl::StatusOr<DuplicateFilter> load(os::FileSystem& files, std::string directory,
                                              IdentityOf identity_of);
  ~DuplicateFilter();
  DuplicateFilter(DuplicateFilter&&) noexcept;
  DuplicateFilter& operator=(DuplicateFilter&&) noexcept;

  // Brings the slots of these keys near. A wave of 32–256 keys, then check_and_add of each, hides the
  // memory's latency.
  void prefetch(absl::Span<const Hash128> keys) const;

  // `segment` is what Writer::reserve returned for the batch that the message will be in; the first call with
  // a higher one writes the sidecar of the segments before, on a thread of its own. A message that was found
  // new must be committed before the next reserve, or the filter must be thrown away with the poisoned
  // writer.
  Verdict check_and_add(const MessageIdentity& message, SegmentNumber segment);

  // True for a message that was seen with the same body. Remembers nothing.
  bool knows(const MessageIdentity& message) const;

  // Segments before `first` left the log (Writer::first_segment): their messages are forgotten when room is
  // needed.
  void expire_before(SegmentNumber first);

  uint64_t size() const;  // messages, those of expired segments included
  uint64_t memory_bytes() const;
  // Waits for a sidecar that is being written. A failed sidecar only costs time at the next load.
  absl::Status finish_sidecars();

 private:
  struct State;
  explicit DuplicateFilter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace kehu::duplicates
