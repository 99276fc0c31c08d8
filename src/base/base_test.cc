#include <gtest/gtest.h>

#include "base/civil_day.h"
#include "base/crc32c.h"
#include "base/hash.h"
#include "base/money.h"
#include "base/siphash.h"

namespace kehu {
namespace {

TEST(Crc32c, KnownValues) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(crc32c(""), 0u);
}

TEST(Crc32c, AnySplitGivesTheSameSum) {
  std::string text;
  for (int i = 0; i < 10'000; ++i) text.push_back(static_cast<char>(i * 31 + i / 7));
  const uint32_t whole = crc32c(text);
  for (const size_t cut : {1u, 7u, 1023u, 1024u, 3072u, 3073u, 9999u}) {
    EXPECT_EQ(crc32c(text.substr(cut), crc32c(text.substr(0, cut))), whole) << cut;
  }
}

// From the reference implementation's vectors_sip128 (github.com/veorq/SipHash), key 00..0f, input 00..n-1.
TEST(SipHash, ReferenceVectors) {
  const SipKey key{0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};
  EXPECT_EQ(siphash128(key, ""), (Hash128{0x930255c71472f66d, 0xe6a825ba047f81a3}));
  EXPECT_EQ(siphash128(key, std::string_view("\0", 1)), (Hash128{0x45fc229b11597634, 0x44af996bd8c187da}));
}

TEST(Hash128, HexRoundTrip) {
  const Hash128 hash{0x0123456789abcdef, 0xfedcba9876543210};
  EXPECT_EQ(hash.hex(), "0123456789abcdeffedcba9876543210");
  EXPECT_EQ(Hash128::from_hex(hash.hex()), hash);
  EXPECT_EQ(Hash128::from_hex("0123456789ABCDEFfedcba9876543210"), std::nullopt);
  EXPECT_EQ(Hash128::from_hex("12"), std::nullopt);
}

struct DecimalCase {
  const char* given;
  const char* want;  // nullptr: refused
};

TEST(Decimal, Parse) {
  const DecimalCase cases[] = {
      {"0", "0"},
      {"12.5", "12.5"},
      {"-0.0001", "-0.0001"},
      {"0.00005", "0.0001"},
      {"0.00004", "0"},
      {"1e3", "1000"},
      {"1.5E-2", "0.015"},
      {"1e-99", "0"},
      {"0e9999999", "0"},
      {"100000000000000", "100000000000000"},
      {"100000000000001", nullptr},
      {"1e15", nullptr},
      {"", nullptr},
      {"-", nullptr},
      {".", nullptr},
      {"1.2.3", nullptr},
      {"abc", nullptr},
      {"1e", nullptr},
      {"3.", "3"},
      {"99.99995", "100"},
      {"-99.99995", "-100"},
  };
  for (const auto& c : cases) {
    const auto got = Decimal::parse(c.given);
    ASSERT_EQ(got.has_value(), c.want != nullptr) << c.given;
    if (got) {
      EXPECT_EQ(got->to_string(), c.want) << c.given;
    }
  }
}

struct TimeCase {
  const char* given;
  const char* want;
};

TEST(Time, ParseIso8601) {
  const TimeCase cases[] = {
      {"2026-11-22T00:49:32.846Z", "2026-11-22T00:49:32.846Z"},
      {"2026-11-22T00:56:34.978+00:00", "2026-11-22T00:56:34.978Z"},
      {"2026-11-22T08:00:00+08:00", "2026-11-22T00:00:00.000Z"},
      {"2026-11-22 08:00:00.123456+0800", "2026-11-22T00:00:00.123456Z"},
      {"2026-11-22", "2026-11-22T00:00:00.000Z"},
      {"1900-01-01", "1900-01-01T00:00:00.000Z"},
      {"2024-02-29", "2024-02-29T00:00:00.000Z"},
      {"2023-02-29", nullptr},
      {"1899-12-31", nullptr},
      {"2200-01-01", nullptr},
      {"2026-13-01", nullptr},
      {"2026-11-22T24:00:00Z", nullptr},
      {"2026-11-22T00:00:00X", nullptr},
      {"yesterday", nullptr},
      {"", nullptr},
  };
  for (const auto& c : cases) {
    const auto got = parse_iso8601(c.given);
    ASSERT_EQ(got.has_value(), c.want != nullptr) << c.given;
    if (got) {
      EXPECT_EQ(format_utc(*got), c.want) << c.given;
    }
  }
}

TEST(BusinessZone, DaysBeginAtLocalMidnight) {
  const auto shanghai = BusinessZone::load("Asia/Shanghai");
  ASSERT_TRUE(shanghai);
  const Instant before = *parse_iso8601("2026-11-21T15:59:59.999Z");
  const Instant after = *parse_iso8601("2026-11-21T16:00:00Z");
  EXPECT_EQ(shanghai->day_of(after).value(), shanghai->day_of(before).value() + 1);
  EXPECT_EQ(shanghai->start_of(shanghai->day_of(after)), after);
  EXPECT_EQ(shanghai->format(after), "2026-11-22T00:00:00.000+08:00");
}

TEST(BusinessZone, DaylightSavingDaysAreLongerAndShorter) {
  const auto berlin = BusinessZone::load("Europe/Berlin");
  ASSERT_TRUE(berlin);
  const CivilDay spring = berlin->day_of(*parse_iso8601("2026-03-29T12:00:00Z"));
  EXPECT_EQ((berlin->start_of(spring.next()) - berlin->start_of(spring)).micros(),
            Duration::hours(23).micros());
  EXPECT_FALSE(BusinessZone::load("Mars/Olympus"));
}

}  // namespace
}  // namespace kehu
