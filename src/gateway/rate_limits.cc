#include "gateway/rate_limits.h"

#include <algorithm>

namespace kehu::gateway {
namespace {

bool limits(const engine::Source& source) {
  return source.events_per_second > 0 || source.events_per_second_per_address > 0;
}

}  // namespace

// A bucket that is full again says nothing that a new one does not, so the full ones are dropped when there
// are too many. What addresses a sender makes up cannot take more memory than kBucketsMax buckets do.
TokenBucket& RateLimits::bucket(const Hash128& key, uint32_t rate, Instant now) {
  if (buckets_.size() >= kBucketsMax && !buckets_.contains(key)) {
    absl::erase_if(buckets_, [now](auto& entry) { return entry.second.is_full(now); });
    // All of them are in use: senders start anew, which lets each of them send one second's worth more.
    if (buckets_.size() >= kBucketsMax) buckets_.clear();
  }
  TokenBucket& found = buckets_.try_emplace(key, rate, now).first->second;
  if (found.rate() != rate) found.set_rate(rate);
  return found;
}

std::optional<int> RateLimits::refuses(const engine::Source& source, std::string_view address, Instant now) {
  if (!limits(source)) return std::nullopt;
  Duration wait;
  {
    const std::lock_guard lock(mutex_);
    if (const uint32_t rate = source.events_per_second) {
      wait = bucket(key_of(source, ""), rate, now).wait(now);
    }
    if (const uint32_t rate = source.events_per_second_per_address) {
      wait = std::max(wait, bucket(key_of(source, address), rate, now).wait(now));
    }
  }
  if (wait == Duration()) return std::nullopt;
  refused_.fetch_add(1, std::memory_order_relaxed);
  const int64_t seconds = (wait.micros() + 999'999) / 1'000'000;
  return static_cast<int>(std::min<int64_t>(seconds, 3600));
}

void RateLimits::charge(const engine::Source& source, std::string_view address, uint64_t events,
                        Instant now) {
  if (!limits(source)) return;
  const std::lock_guard lock(mutex_);
  if (const uint32_t rate = source.events_per_second)
    bucket(key_of(source, ""), rate, now).charge(events, now);
  if (const uint32_t rate = source.events_per_second_per_address) {
    bucket(key_of(source, address), rate, now).charge(events, now);
  }
}

}  // namespace kehu::gateway
