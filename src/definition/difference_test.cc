#include "definition/difference.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace kehu::definition {
namespace {

std::string text_of(std::string_view before, std::string_view after) {
  std::string out;
  for (const Difference& difference : differences(before, after)) {
    out += cat(difference.pointer, ": ", difference.before, " -> ", difference.after, "\n");
  }
  return out;
}

TEST(DifferenceTest, NamesEachPlace) {
  EXPECT_EQ(text_of(R"({"a":1,"b":{"c":[1,2]}})", R"({"a":1,"b":{"c":[1,2]}})"), "");
  EXPECT_EQ(text_of(R"({"a":1,"b":{"c":[1,2]},"gone":true})", R"({"a":2,"b":{"c":[1,3,4]},"new/y":null})"),
            "/a: 1 -> 2\n/b/c/1: 2 -> 3\n/b/c/2:  -> 4\n/gone: true -> \n/new~1y:  -> null\n");
  EXPECT_EQ(text_of(R"({"a":[1]})", R"({"a":{"0":1}})"), "/a: [1] -> {\"0\":1}\n");
}

TEST(DifferenceTest, IsBounded) { EXPECT_EQ(differences("[1,2,3,4]", "[5,6,7,8]", 2).size(), 2u); }

}  // namespace
}  // namespace kehu::definition
