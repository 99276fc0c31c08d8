#include "mapping/row_content.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace kehu::mapping {
namespace {

Hash128 content(std::string_view text) {
  json::Index index;
  EXPECT_FALSE(index.scan(text)) << text;
  return json_content(index);
}

TEST(JsonContent, IsWhatAValueSays) {
  const Hash128 want = content(R"({"a":1,"b":{"c":[1,"x",null],"d":true},"e":"李"})");
  for (const char* same : {
           R"({ "a": 1, "b": { "c": [ 1, "x", null ], "d": true }, "e": "李" })",
           R"({"e":"李","b":{"d":true,"c":[1,"x",null]},"a":1})",
           R"({"e":"\u674e","\u0062":{"d":true,"c":[1,"\u0078",null]},"a":1})",
       }) {
    EXPECT_EQ(content(same), want) << same;
  }
  for (const char* other : {
           R"({"a":1,"b":{"c":["x",1,null],"d":true},"e":"李"})",
           R"({"a":"1","b":{"c":[1,"x",null],"d":true},"e":"李"})",
           R"({"a":1,"b":{"c":[1,"x",null]},"d":true,"e":"李"})",
           R"({"a":1.0,"b":{"c":[1,"x",null],"d":true},"e":"李"})",
           R"({"b":1,"a":{"c":[1,"x",null],"d":true},"e":"李"})",
           R"({"a":1,"b":{"c":[1,["x"],null],"d":true},"e":"李"})",
       }) {
    EXPECT_NE(content(other), want) << other;
  }
  EXPECT_NE(content("[]"), content("{}"));
  EXPECT_NE(content("[[],[]]"), content("[[[]]]"));
  EXPECT_NE(content(R"("1")"), content("1"));
}

TEST(ContentOf, ARowThatCannotBeReadIsItsBytes) {
  rows::Row row;
  row.text = "{\"a\":\r";
  row.fault = rows::RowFault{};
  EXPECT_EQ(content_of(row).text, "{a:");
}

}  // namespace
}  // namespace kehu::mapping
