#pragma once

#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
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

 private:
  BlobStore& store_;
  absl::flat_hash_map<NameId, std::string> texts_;
};

}  // namespace kehu::shard
