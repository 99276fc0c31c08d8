#include "text/number_text.h"

#include <gtest/gtest.h>

namespace kehu::text {
namespace {

struct NumberCase {
  const char* given;
  std::optional<char> thousands;
  const char* want;  // nullptr: no number
};

TEST(NumberText, IsJson) {
  const NumberCase cases[] = {
      {"0", {}, "0"},
      {"007", {}, "7"},
      {"-007.50", {}, "-7.5"},
      {"+5", {}, "5"},
      {".50", {}, "0.5"},
      {"5.", {}, "5"},
      {"-0.0", {}, "0"},
      {"266079.0", {}, "266079"},
      {"100", {}, "100"},
      {"0.000", {}, "0"},
      {"1e3", {}, "1e3"},
      {"1.50E+07", {}, "1.5e07"},
      {"1e", {}, nullptr},
      {"", {}, nullptr},
      {"-", {}, nullptr},
      {"1,234.5", {}, nullptr},
      {"1,234.5", ',', "1234.5"},
      {",1", ',', nullptr},
      {"12a", {}, nullptr},
      {" 1", {}, nullptr},
      {"inf", {}, nullptr},
      {"12345678901234567890.123456789", {}, "12345678901234567890.123456789"},
  };
  for (const auto& c : cases) {
    std::string got = "=";
    const bool ok = append_number(c.given, c.thousands, got);
    ASSERT_EQ(ok, c.want != nullptr) << c.given;
    if (ok) {
      EXPECT_EQ(got, std::string("=") + c.want) << c.given;
    }
  }
}

TEST(NumberText, OneReadingForWhatPeopleAndProgramsWrite) {
  const NumberCase cases[] = {
      {"99.00", {}, "99"},
      {"1,299.00", {}, "1299"},
      {"1,299.00", ',', "1299"},
      {"-1,500.00", {}, "-1500"},
      {" 50.00 ", {}, "50"},
      {"¥99", {}, "99"},
      {"￥1,299", {}, "1299"},
      {"99元", {}, "99"},
      {"$19.99", {}, "19.99"},
      {"１２", {}, "12"},
      {"－１，２９９．５０", {}, "-1299.5"},
      {"1.299,50", '.', "1299.5"},
      {"1.299", '.', "1299"},
      {"1e400", {}, "1e400"},
      {"0.123456789", {}, "0.123456789"},
      {"2026-11-01", {}, nullptr},
      {"many", {}, nullptr},
      {"1 2", {}, nullptr},
      {"", {}, nullptr},
      {"-", {}, nullptr},
      {"NaN", {}, nullptr},
      {"true", {}, nullptr},
  };
  for (const auto& c : cases) {
    const auto got = read_number(c.given, c.thousands);
    EXPECT_EQ(got.value_or("no number"), c.want == nullptr ? "no number" : c.want) << c.given;
  }
}

TEST(NumberText, WholeNumbersHaveOneSpelling) {
  const NumberCase cases[] = {
      {"2001", {}, "2001"},
      {"2001.0", {}, "2001"},
      {"2001.00", {}, "2001"},
      {"2.001e3", {}, "2001"},
      {"13911112222.0", {}, "13911112222"},
      {"1.3911112222E+10", {}, "13911112222"},
      {"-5.0", {}, "-5"},
      {"0.0", {}, "0"},
      {"-0", {}, "0"},
      {"12345678901234567890123456789.0", {}, "12345678901234567890123456789"},
      {"2001.5", {}, nullptr},
      {"1e-3", {}, nullptr},
      {"1e300", {}, nullptr},
      {"1e99999999999999999999", {}, nullptr},
  };
  for (const auto& c : cases) {
    std::string got = "=";
    ASSERT_EQ(append_whole_number(c.given, got), c.want != nullptr) << c.given;
    EXPECT_EQ(got, std::string("=") + (c.want == nullptr ? "" : c.want)) << c.given;
  }
}

TEST(NumberText, ComparesExactly) {
  // Each is less than the next one.
  const char* const ascending[] = {"-1e400",
                                   "-10",
                                   "-9.99",
                                   "-0.001",
                                   "0",
                                   "1e-400",
                                   "0.0001",
                                   "0.1",
                                   "0.10001",
                                   "9",
                                   "10",
                                   "9007199254740992",
                                   "9007199254740993",
                                   "1e99999999999999999999"};
  for (size_t i = 0; i < std::size(ascending); ++i) {
    for (size_t k = 0; k < std::size(ascending); ++k)
      EXPECT_TRUE(compare_numbers(ascending[i], ascending[k]) == (i <=> k))
          << ascending[i] << " " << ascending[k];
  }
  for (const char* same : {"100", "100.00", "1e2", "0.1E+3", "1000e-1"})
    EXPECT_TRUE(compare_numbers(same, "100") == 0) << same;
  EXPECT_TRUE(compare_numbers("-0.0", "0") == 0);
}

TEST(NumberText, ProductsAreExact) {
  const struct {
    const char *a, *b, *want;
  } cases[] = {{"6", "2.55", "15.3"},
               {"-1", "0.85", "-0.85"},
               {"3", "0.001", "0.003"},
               {"0.5", "0.0001", "0.0001"},
               {"-0.5", "0.0001", "-0.0001"},
               {"0", "9", "0"},
               {"10000000", "10000000", "100000000000000"}};
  for (const auto& c : cases) EXPECT_EQ(product_text(c.a, c.b), c.want) << c.a << " x " << c.b;
  EXPECT_EQ(product_text("10000001", "10000000"), std::nullopt);
}

}  // namespace
}  // namespace kehu::text
