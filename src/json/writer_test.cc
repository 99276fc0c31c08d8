#include "json/writer.h"

#include <cmath>

#include "gtest/gtest.h"
#include "json/document.h"

namespace kehu::json {
namespace {

TEST(Writer, PutsCommasByItself) {
  std::string out;
  Writer(out)
      .begin_object()
      .field("text", "a\"b")
      .field("int", -7)
      .field("big", UINT64_MAX)
      .field("double", 0.1)
      .field("amount", Decimal::from_units(125000))
      .field("yes", true)
      .key("none")
      .null()
      .key("list")
      .begin_array()
      .value(1)
      .begin_object()
      .end_object()
      .begin_array()
      .end_array()
      .value("x")
      .end_array()
      .raw_field("raw", R"({"a":1})")
      .end_object();
  EXPECT_EQ(out,
            R"({"text":"a\"b","int":-7,"big":18446744073709551615,"double":0.1,"amount":12.5,"yes":true,)"
            R"("none":null,"list":[1,{},[],"x"],"raw":{"a":1}})");
  EXPECT_TRUE(Document::parse(out).ok());
}

TEST(Writer, NumbersThatJsonCannotSayAreNull) {
  std::string out;
  Writer(out).begin_array().value(HUGE_VAL).value(std::nan("")).value(-1.5).end_array();
  EXPECT_EQ(out, "[null,null,-1.5]");
}

TEST(Writer, AnyBytesGiveValidJson) {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  std::string out;
  Writer(out).begin_object().field(all, all).end_object();
  EXPECT_TRUE(Document::parse(out).ok());
}

}  // namespace
}  // namespace kehu::json
