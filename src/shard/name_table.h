#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "model/ids.h"
#include "store/blob_store.h"

namespace kehu::shard {

// The texts behind the 48-bit name hashes in customers' states. Grows with the number of distinct names of a
// project (bounded), not with its customers.
class NameTable {
 public:
  static constexpr size_t kMaxNames = 100'000;  // further names are shown by their hash

  explicit NameTable(BlobStore& store);

  void learn(NameId id, std::string_view text);
  // Empty when unknown. Valid as long as the table.
  std::string_view text(NameId id) const;

  // Of `words` those that are known, and names that one of the others may have meant (text/near_word.h), by
  // their lengths alone; at most kMaxNear of these. All of `words` when the table is full: then nobody knows.
  // Costs a look at every name if one of `words` is not known.
  static constexpr size_t kMaxNear = 10'000;
  std::vector<std::string> known_or_near(absl::Span<const std::string> words) const;

 private:
  BlobStore& store_;
  absl::flat_hash_map<NameId, std::string> texts_;
};

}  // namespace kehu::shard
