#include "base/prf.h"

#include <gtest/gtest.h>

#include <bit>
#include <vector>

namespace kehu {
namespace {

constexpr SipKey kSeed{0x0706050403020100, 0x0f0e0d0c0b0a0908};
constexpr uint64_t kAll = ~uint64_t{0};

// Computed by a program of its own in another language, which agrees with the reference vectors of SipHash.
TEST(Prf, KnownAnswers) {
  const struct {
    SipKey seed;
    Hash128 customer;
    uint64_t sequence;
    uint64_t want;
    double unit;
  } cases[] = {
      {{0, 0}, {0, 0}, 0, 0x12d065c7988c3429, 0.07349239466616164},
      {kSeed, {1, 2}, 3, 0x8a0f70da605c8d8c, 0.5392981084008729},
      {kSeed, {1, 2}, 4, 0xbcfc73979d83c37c, 0.7382271046785851},
      {kSeed, {2, 1}, 3, 0x2f0b03fc1571cb8e, 0.18376183418644765},
      {{kAll, kAll}, {kAll, kAll}, kAll, 0x5789085c9277f3ec, 0.34193470249235225},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(prf(c.seed, c.customer, c.sequence), c.want);
    EXPECT_EQ(unit_interval(c.want), c.unit);
  }
}

TEST(Prf, UnitIntervalStaysBelowOne) {
  EXPECT_EQ(unit_interval(0), 0.0);
  EXPECT_EQ(unit_interval(2047), 0.0);
  EXPECT_EQ(unit_interval(2048), 0x1p-53);
  EXPECT_EQ(unit_interval(uint64_t{1} << 63), 0.5);
  EXPECT_EQ(unit_interval(kAll), 1 - 0x1p-53);
}

// Chi-square of draws over equal classes; with 1,023 degrees of freedom its mean is 1,023 and its deviation
// 45, so six of these are left out once in a hundred million tries.
template <class Draw>
double chi_square(Draw draw) {
  constexpr int kClasses = 1024, kDraws = 200'000;
  std::vector<int> counts(kClasses);
  for (uint64_t i = 0; i < kDraws; ++i) ++counts[static_cast<size_t>(draw(i) * kClasses)];
  const double expected = static_cast<double>(kDraws) / kClasses;
  double sum = 0;
  for (const int count : counts) sum += (count - expected) * (count - expected) / expected;
  return sum;
}

TEST(Prf, IsUniformOverEachArgument) {
  const double sums[] = {
      chi_square([](uint64_t i) {
        return unit_interval(prf(kSeed, {0, i}, 0));
      }),
      chi_square([](uint64_t i) {
        return unit_interval(prf(kSeed, {i, 0}, 0));
      }),
      chi_square([](uint64_t i) {
        return unit_interval(prf(kSeed, {7, 8}, i));
      }),
      chi_square([](uint64_t i) {
        return unit_interval(prf({i, 0}, {7, 8}, 0));
      }),
      // The lower bits too, and what two draws of one customer have in common.
      chi_square([](uint64_t i) {
        return unit_interval(std::rotl(prf(kSeed, {0, i}, 0), 44));
      }),
      chi_square([](uint64_t i) {
        return unit_interval(prf(kSeed, {0, i}, 0) ^ prf(kSeed, {0, i}, 1));
      }),
  };
  for (const double sum : sums) EXPECT_NEAR(sum, 1023, 6 * 45.2);
}

TEST(Prf, OneBitOfAnyArgumentTurnsHalfOfTheBits) {
  int turned = 0, tries = 0;
  for (int bit = 0; bit < 64; ++bit) {
    const uint64_t mask = uint64_t{1} << bit;
    const uint64_t before = prf(kSeed, {1, 2}, 3);
    for (const uint64_t after :
         {prf({kSeed[0] ^ mask, kSeed[1]}, {1, 2}, 3), prf({kSeed[0], kSeed[1] ^ mask}, {1, 2}, 3),
          prf(kSeed, {1 ^ mask, 2}, 3), prf(kSeed, {1, 2 ^ mask}, 3), prf(kSeed, {1, 2}, 3 ^ mask)}) {
      turned += std::popcount(before ^ after);
      ++tries;
    }
  }
  EXPECT_NEAR(static_cast<double>(turned) / tries, 32, 6 * 4 / 17.9);
}

}  // namespace
}  // namespace kehu
