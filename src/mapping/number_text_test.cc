#include "mapping/number_text.h"

#include <gtest/gtest.h>

namespace kehu::mapping {
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
}  // namespace kehu::mapping
