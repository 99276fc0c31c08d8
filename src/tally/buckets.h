#pragma once

#include <cstdint>
#include <vector>

#include "aggregate/wire.h"
#include "rule/window.h"

// What is kept for each granule, newest first, and the numbers of granules as bytes: the newest as it is,
// each older one as so many before the one behind it. What no granule between kFirstInstant and kLastInstant
// has is damage, and so is what no customer can count: sums of what was read, and moments made of it, cannot
// overflow.
namespace kehu::tally {

// That of a granule, made empty where there is none.
template <class Bucket>
Bucket& bucket_of(std::vector<Bucket>& buckets, int64_t number) {
  auto at = buckets.begin();
  while (at != buckets.end() && at->number > number) ++at;
  if (at == buckets.end() || at->number != number) at = buckets.insert(at, Bucket{.number = number});
  return *at;
}

// Those that no window of so many granules up to the newest contains go.
template <class Bucket>
void drop_old(std::vector<Bucket>& buckets, int64_t newest, uint32_t length) {
  while (!buckets.empty() && buckets.back().number <= newest - length) buckets.pop_back();
}

inline constexpr uint64_t kCountMost = uint64_t{1} << 40;
inline constexpr Sum kSumMost = Sum{1} << 120;

inline int64_t checked_number(int64_t number, rule::Granule granule, aggregate::WireReader& in) {
  const int64_t most = granule == rule::Granule::kDay ? 200'000 : int64_t{1} << 33;  // 272 years of seconds
  if (number >= -most && number <= most) return number;
  in.fail();
  return 0;
}

inline int64_t read_number(rule::Granule granule, aggregate::WireReader& in) {
  return checked_number(in.zigzag(), granule, in);
}

inline int64_t read_number_before(int64_t number, rule::Granule granule, aggregate::WireReader& in) {
  const auto less = static_cast<uint64_t>(number) - in.varint();  // wraps on damage
  return checked_number(static_cast<int64_t>(less), granule, in);
}

inline uint64_t read_count(aggregate::WireReader& in) {
  const uint64_t count = in.varint();
  if (count <= kCountMost) return count;
  in.fail();
  return 0;
}

inline Sum read_sum(aggregate::WireReader& in) {
  const Sum sum = in.wide();
  if (sum >= -kSumMost && sum <= kSumMost) return sum;
  in.fail();
  return 0;
}

}  // namespace kehu::tally
