#include "json/repeated_keys.h"

#include <string>
#include <vector>

#include "base/hash.h"
#include "gtest/gtest.h"

namespace kehu::json {
namespace {

// The values of the keys that are repeated further on.
std::string left_out(std::string_view text) {
  Index index;
  EXPECT_FALSE(index.scan(text)) << text;
  RepeatedKeys repeated;
  std::string out;
  for (const uint32_t key : repeated.find(index, 0, index.size())) {
    out += std::string(index.raw(index[key + 1])) + ";";
  }
  return out;
}

TEST(RepeatedKeys, TheEarlierOnesOfEachObject) {
  struct Case {
    const char* given;
    const char* want;
  };
  const Case cases[] = {
      {"{}", ""},
      {"[1,1]", ""},
      {R"({"a":1})", ""},
      {R"({"a":1,"b":1})", ""},
      {R"({"a":1,"A":2})", ""},
      {R"({"a":1,"a":2})", "1;"},
      {R"({"a":1,"a":2,"a":3})", "1;2;"},
      {R"({"a":1,"b":2,"a":3,"b":4})", "1;2;"},
      {R"({"a":{"a":1},"b":{"a":2}})", ""},
      {R"({"a":{"b":1,"b":2},"b":3})", "1;"},
      {R"({"a":[{"b":1,"b":2},{"b":3}],"a":4})", R"([{"b":1,"b":2},{"b":3}];1;)"},
      {R"({"a":1,"\u0061":2})", "1;"},
      {R"({"":1,"":2})", "1;"},
      {R"({"a":null,"a":1})", "null;"},
  };
  for (const Case& c : cases) EXPECT_EQ(left_out(c.given), c.want) << c.given;
}

TEST(RepeatedKeys, AmongManyAsAmongFew) {
  for (const int count : {2, 8, 9, 100, 2000}) {
    std::string text = "{";
    for (int i = 0; i < count; ++i) text += "\"key" + std::to_string(i) + "\":" + std::to_string(i) + ",";
    const std::string again = text + R"("key1":"x"})";
    EXPECT_EQ(left_out(again), "1;") << count;
    EXPECT_EQ(left_out(text + R"("key":"x"})"), "") << count;
  }
}

// Two keys of one hash64, which takes seconds to find for it is not keyed. Whoever sends events could hide a
// repeat with the second one.
constexpr char kOne[] =
    "block0-875770572block1-923938906block2-626489011block3-133115906"
    "block4-808821337block5-790303697block6-319249044block7-617184922";
constexpr char kOther[] =
    "block0-184749118block1-170256874block2-881097211block3-961203391"
    "block4-504780692block5-562476520block6-313320946block7-417326692";

TEST(RepeatedKeys, AnotherKeyOfTheSameHashHidesNothing) {
  ASSERT_EQ(hash64(kOne), hash64(kOther));
  struct Case {
    const char* name;
    std::vector<std::string> keys;
    const char* want;  // the places of those that are repeated
  };
  const Case cases[] = {
      {"between two", {kOne, kOther, kOne}, "0;"},
      {"the other way", {kOther, kOne, kOther}, "0;"},
      {"taking turns", {kOne, kOther, kOne, kOther, kOne}, "0;1;2;"},
      {"once each", {kOne, kOther}, ""},
  };
  for (const Case& c : cases) {
    for (const int more : {0, 20}) {
      std::string text = "{";
      for (size_t i = 0; i < c.keys.size(); ++i) text += "\"" + c.keys[i] + "\":" + std::to_string(i) + ",";
      for (int i = 0; i < more; ++i) text += "\"key" + std::to_string(i) + "\":null,";
      text.back() = '}';
      EXPECT_EQ(left_out(text), c.want) << c.name << ", " << more << " more";
    }
  }
}

}  // namespace
}  // namespace kehu::json
