#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "aggregate/wire.h"

namespace kehu::aggregate {

inline constexpr uint32_t kMinuteRing = 60;
inline constexpr uint32_t kHourRing = 48;
inline constexpr uint32_t kDayRing = 400;

// Amounts per bucket of time. Keeps the buckets newer than newest - length, which is a function of the set of
// additions and not of their order: what an early look would have dropped, a late look drops as well. Buckets
// of value zero, but the newest, are not written.
template <class Value>
class Ring {
 public:
  struct Bucket {
    uint32_t age = 0;  // newest - number of the bucket
    Value value{};
  };

  int64_t newest() const { return newest_; }
  const std::vector<Bucket>& buckets() const { return buckets_; }  // by age

  void start(int64_t bucket, Value value) {
    newest_ = bucket;
    buckets_.clear();
    buckets_.push_back({0, value});
  }

  void add(int64_t bucket, Value value, uint32_t length) {
    if (bucket > newest_) {
      advance(bucket, length);
      buckets_.insert(buckets_.begin(), {0, value});
      return;
    }
    if (newest_ - bucket >= length) return;
    const uint32_t age = static_cast<uint32_t>(newest_ - bucket);
    auto at = buckets_.begin();
    while (at != buckets_.end() && at->age < age) ++at;
    if (at != buckets_.end() && at->age == age) {
      at->value = sum(at->value, value);
    } else {
      buckets_.insert(at, {age, value});
    }
  }

  void merge(const Ring& other, uint32_t length) {
    const int64_t newest = std::max(newest_, other.newest_);
    const auto shift = [=](const Ring& ring) { return static_cast<uint64_t>(newest - ring.newest_); };
    std::vector<Bucket> merged;
    auto a = buckets_.begin();
    auto b = other.buckets_.begin();
    while (a != buckets_.end() || b != other.buckets_.end()) {
      const uint64_t age_a = a == buckets_.end() ? UINT64_MAX : a->age + shift(*this);
      const uint64_t age_b = b == other.buckets_.end() ? UINT64_MAX : b->age + shift(other);
      const uint64_t age = std::min(age_a, age_b);
      if (age >= length) break;
      Value value{};
      if (age_a == age) value = sum(value, (a++)->value);
      if (age_b == age) value = sum(value, (b++)->value);
      merged.push_back({static_cast<uint32_t>(age), value});
    }
    newest_ = newest;
    buckets_.swap(merged);
  }

  // The sum of the buckets in (last - count, last].
  Value window(int64_t last, int64_t count) const {
    Value total{};
    for (const Bucket& bucket : buckets_) {
      const int64_t number = newest_ - bucket.age;
      if (number <= last && number > last - count) total = sum(total, bucket.value);
    }
    return total;
  }

  // Written: how many older buckets, the newest value, then (age beyond the last one, value) for each.
  void write(WireBuffer& out) const {
    const auto written = [](const Bucket& bucket) { return bucket.age == 0 || bucket.value != Value{}; };
    out.varint(static_cast<uint64_t>(std::count_if(buckets_.begin(), buckets_.end(), written)) - 1);
    uint32_t age = 0;
    for (const Bucket& bucket : buckets_) {
      if (!written(bucket)) continue;
      if (bucket.age > 0) out.varint(bucket.age - age);
      put(bucket.value, out);
      age = bucket.age;
    }
  }

  void read(int64_t newest, uint32_t length, WireReader& in) {
    const uint64_t older = in.varint();
    start(newest, get(in));
    if (older >= length) return in.fail();
    uint64_t age = 0;
    for (uint64_t i = 0; i < older && !in.failed(); ++i) {
      const uint64_t gap = in.varint();
      age += gap;
      if (gap == 0 || gap >= length || age >= length) return in.fail();
      buckets_.push_back({static_cast<uint32_t>(age), get(in)});
    }
  }

 private:
  static uint64_t sum(uint64_t a, uint64_t b) { return a + b; }
  static Sum sum(Sum a, Sum b) { return wrapping_add(a, b); }
  static void put(uint64_t value, WireBuffer& out) { out.varint(value); }
  static void put(Sum value, WireBuffer& out) { out.wide(value); }
  static Value get(WireReader& in) {
    if constexpr (sizeof(Value) == 8) {
      return in.varint();
    } else {
      return in.wide();
    }
  }

  void advance(int64_t bucket, uint32_t length) {
    const uint64_t shift = static_cast<uint64_t>(bucket - newest_);
    newest_ = bucket;
    while (!buckets_.empty() && buckets_.back().age + shift >= length) buckets_.pop_back();
    for (Bucket& kept : buckets_) kept.age += static_cast<uint32_t>(shift);
  }

  int64_t newest_ = 0;
  std::vector<Bucket> buckets_;
};

}  // namespace kehu::aggregate
