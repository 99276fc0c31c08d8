#include "json/repeated_keys.h"

#include <string>

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

}  // namespace
}  // namespace kehu::json
