#include "base/token_bucket.h"

#include <algorithm>

#include "base/check.h"

namespace kehu {
namespace {

constexpr uint32_t kRateMax = 1'000'000'000;
// A debt is limited, so that sums of many large batches cannot overflow.
constexpr int64_t kDebtMax = int64_t{1} << 61;

}  // namespace

TokenBucket::TokenBucket(uint32_t events_per_second, Instant now)
    : rate_(events_per_second), level_(capacity()), filled_(now) {
  KEHU_CHECK(rate_ > 0 && rate_ <= kRateMax);
}

void TokenBucket::set_rate(uint32_t events_per_second) {
  KEHU_CHECK(events_per_second > 0 && events_per_second <= kRateMax);
  rate_ = events_per_second;
  level_ = std::min(level_, capacity());
}

void TokenBucket::refill(Instant now) {
  const int64_t elapsed = std::max<int64_t>((now - filled_).micros(), 0);
  filled_ = now;
  const int64_t missing = capacity() - level_;
  // Compared before it is multiplied: years times the rate are too much for an integer.
  level_ = elapsed > missing / rate_ ? capacity() : level_ + elapsed * rate_;
}

Duration TokenBucket::wait(Instant now) {
  refill(now);
  if (level_ >= kEvent) return Duration();
  return Duration((kEvent - level_ + rate_ - 1) / rate_);
}

// A batch is taken whole, also when it overdraws the bucket. Splitting it would let in half of a request,
// and refusing it would starve a sender whose batches are larger than a second's worth.
void TokenBucket::charge(uint64_t events, Instant now) {
  refill(now);
  const int64_t most = (kDebtMax + level_) / kEvent;
  level_ -= kEvent * static_cast<int64_t>(
                         std::min<uint64_t>(events, static_cast<uint64_t>(std::max<int64_t>(most, 0))));
}

bool TokenBucket::is_full(Instant now) {
  refill(now);
  return level_ == capacity();
}

}  // namespace kehu
