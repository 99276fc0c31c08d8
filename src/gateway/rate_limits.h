#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "base/hash.h"
#include "base/time.h"
#include "base/token_bucket.h"
#include "engine/project.h"

namespace kehu::gateway {

// The limits of sources, by their definitions: of all of a source's events, and of those from one address. A
// request is let in while there is room for one event and pays for all of its events. Costs nothing for
// sources without limits, else a lock. Thread-safe.
class RateLimits {
 public:
  // Seconds after which a request of this source is let in, rounded up; nullopt when it is now.
  std::optional<int> refuses(const engine::Source& source, std::string_view address, Instant now);
  void charge(const engine::Source& source, std::string_view address, uint64_t events, Instant now);

  uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }

 private:
  // Addresses that were heard of; full buckets are forgotten before a further one comes in.
  static constexpr size_t kBucketsMax = 100'000;

  static Hash128 key_of(const engine::Source& source, std::string_view address) {
    return hash128(address, source.id.value());
  }
  TokenBucket& bucket(const Hash128& key, uint32_t rate, Instant now);

  std::mutex mutex_;
  absl::flat_hash_map<Hash128, TokenBucket> buckets_;
  std::atomic<uint64_t> refused_{0};
};

}  // namespace kehu::gateway
