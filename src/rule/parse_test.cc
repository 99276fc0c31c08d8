#include "rule/parse.h"

#include <gtest/gtest.h>

#include "rule/test_random_rules.h"

namespace kehu::rule {
namespace {

TEST(RandomRules, SameSeedSameTrees) {
  RandomRules a(1, {}), b(1, {});
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(a.segment("x"), b.segment("x"));
  EXPECT_EQ(a.tag("x"), b.tag("x"));
}

}  // namespace
}  // namespace kehu::rule
