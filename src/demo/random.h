#pragma once

#include <cstdint>

#include "base/time.h"

namespace kehu::demo {

// A bijective mix of 64 bits (the finaliser of SplitMix64): stable attributes of "the n-th customer" without
// a table.
constexpr uint64_t mix(uint64_t value) {
  value += 0x9e3779b97f4a7c15ULL;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31);
}

// xoshiro256++ (Blackman, Vigna 2019). The same seed gives the same numbers on every machine.
class Random {
 public:
  explicit Random(uint64_t seed);

  uint64_t next();
  // Uniform in [0, n); n is at least 1.
  uint32_t below(uint32_t n) { return static_cast<uint32_t>((next() >> 32) * n >> 32); }
  // Uniform in [0, 1).
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  bool chance(double probability) { return unit() < probability; }
  // Uniform, to the millisecond: clients do not send finer times.
  Duration between(Duration low, Duration high);
  // Index below n where the first are far more frequent than the last (the square of a uniform number).
  uint32_t favoured(uint32_t n);
  // Number of arrivals when `mean` are expected. Costs about one draw per arrival.
  uint32_t poisson(double mean);

 private:
  uint64_t state_[4];
};

}  // namespace kehu::demo
