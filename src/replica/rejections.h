#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "model/record.h"
#include "model/rejection.h"
#include "store/blob_store.h"

namespace kehu::replica {

enum class RejectionState : uint8_t { kOpen = 0, kRepaired = 1, kDiscarded = 2 };
std::string_view to_string(RejectionState state);

// What lists show of a rejection; the rest is read when asked for.
struct RejectionEntry {
  Sequence sequence;
  Reason reason = Reason::kInvalidJson;
  RejectionState state = RejectionState::kOpen;
  SourceId source;
  Instant received_at;
};

struct RejectionFilter {
  std::optional<Reason> reason;
  std::optional<SourceId> source;
  std::optional<RejectionState> state;
  std::optional<Sequence> before;  // for paging, newest first
  size_t limit = 50;
};

struct RejectionCount {
  SourceId source;
  Reason reason = Reason::kInvalidJson;
  uint64_t total = 0;
  uint64_t open = 0;
};

// The quarantine: every rejection that ever came, by its sequence. The index is in memory (40 bytes each),
// the payloads are blobs. Owner: the apply thread.
class Rejections {
 public:
  explicit Rejections(BlobStore& store);

  absl::Status add(Sequence sequence, std::string_view record);
  // Passes over unknown and already closed ones: commands may race, the first one counts.
  void close(const RejectionClosed& closed);

  std::vector<RejectionEntry> list(const RejectionFilter& filter) const;
  std::vector<RejectionCount> counts() const;
  std::optional<RejectionEntry> find(Sequence sequence) const;
  // The record's bytes, for codec::decode_rejection.
  std::string record(Sequence sequence) const;

 private:
  void count(const RejectionEntry& entry, int64_t open_delta, bool is_new);

  BlobStore& store_;
  std::map<Sequence, RejectionEntry> entries_;
  std::map<std::pair<SourceId, Reason>, RejectionCount> counts_;
};

}  // namespace kehu::replica
