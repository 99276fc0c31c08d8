#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "model/intent.h"
#include "store/blob_store.h"

// What is to be done outside, until it is known to be done (docs/decisions/outbox.md).
namespace kehu::outbox {

// How many intents a channel was given, and what became of them.
struct Counts {
  std::string channel;
  uint64_t intents = 0;
  uint64_t delivered = 0;
  uint64_t refused = 0;

  uint64_t pending() const { return intents - delivered - refused; }
};

// An intent as it is stored (docs/formats/outbox.md): senders read them in the order of their keys, which is
// the order in which they were caused.
Hash128 place_of(const IntentKey& key);
std::string blob_of(const Intent& intent);
// nullopt: the blob is not of an intent, but of counts. DataLoss: it cannot be read.
absl::StatusOr<std::optional<Intent>> parse_blob(const Hash128& place, std::string_view blob);
// The same the other way round: counts stand behind all intents, from kFirstCounts on.
inline constexpr Hash128 kFirstCounts{UINT64_MAX, 0};
std::optional<Counts> parse_counts(const Hash128& place, std::string_view blob);

// One owner thread. The store holds everything.
class Outbox {
 public:
  // `store` outlives it and is used by nobody else.
  explicit Outbox(BlobStore& store) : store_(store) {}

  // Its key is new.
  void add(const Intent& intent);
  // Takes the intent out and counts what became of it; false when it is not there, since it was counted
  // before. DataLoss: what is stored cannot be read.
  absl::StatusOr<bool> settle(const Receipt& receipt);

  // Of every channel that was ever given something.
  std::vector<Counts> counts();

 private:
  Counts counts_of(std::string_view channel);
  void put(const Counts& counts);

  BlobStore& store_;
};

}  // namespace kehu::outbox
