#pragma once

#include <functional>
#include <string_view>

#include "absl/types/span.h"
#include "base/hash.h"

namespace kehu {

// Where a pure room keeps its state: bytes by 128-bit key. One owner thread. `state` implements it over a
// cache and RocksDB, tests over a map.
class BlobStore {
 public:
  virtual ~BlobStore() = default;

  // Empty when there is none. Valid until the next call of put, erase or prefetch.
  virtual std::string_view get(const Hash128& key) = 0;
  virtual void put(const Hash128& key, std::string_view bytes) = 0;
  virtual void erase(const Hash128& key) = 0;

  // Brings the blobs of these keys near, so that the gets that follow neither wait for a disk nor miss the
  // cache.
  virtual void prefetch(absl::Span<const Hash128> keys) = 0;

  // Every blob once, in no particular order.
  virtual void for_each(const std::function<void(const Hash128&, std::string_view)>& visit) = 0;
};

}  // namespace kehu
