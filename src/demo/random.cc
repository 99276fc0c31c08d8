#include "demo/random.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace kehu::demo {

Random::Random(uint64_t seed) {
  for (uint64_t& word : state_) word = seed = mix(seed);
}

uint64_t Random::next() {
  const uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
  const uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

Duration Random::between(Duration low, Duration high) {
  const int64_t millis = (high.micros() - low.micros()) / 1000;
  return Duration(low.micros() + static_cast<int64_t>(unit() * static_cast<double>(millis)) * 1000);
}

uint32_t Random::favoured(uint32_t n) {
  const double u = unit();
  return static_cast<uint32_t>(u * u * n);
}

uint32_t Random::poisson(double mean) {
  // Multiplying uniform numbers (Knuth) underflows for large means; a sum of Poisson numbers is one again.
  constexpr double kChunk = 16;
  uint32_t count = 0;
  while (mean > 0) {
    const double limit = std::exp(-std::min(mean, kChunk));
    mean -= kChunk;
    double product = unit();
    while (product > limit) {
      product *= unit();
      ++count;
    }
  }
  return count;
}

}  // namespace kehu::demo
