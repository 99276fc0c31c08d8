#include "json/fields.h"

#include <random>

#include "gtest/gtest.h"
#include "json/document.h"
#include "json/writer.h"

namespace kehu::json {
namespace {

std::string listed(std::string_view container) {
  std::string out;
  FieldReader reader(container);
  for (Field field; reader.next(field);) {
    out.append(field.key).append("=").append(field.value.raw).append(";");
  }
  return out;
}

TEST(FieldReader, VisitsTopLevelOnly) {
  struct Case {
    const char* name;
    const char* given;
    const char* want;
  };
  const Case cases[] = {
      {"flat", R"({"a":1,"b":"x","c":true,"d":null})", R"(a=1;b="x";c=true;d=null;)"},
      {"nested", R"({"a":{"b":[1,{"c":"}"}]},"d":[[],"]"]})", R"(a={"b":[1,{"c":"}"}]};d=[[],"]"];)"},
      {"spaces", " {\n \"a\" : 1 ,\t\"b\" : [ 1 , 2 ] } ", "a=1;b=[ 1 , 2 ];"},
      {"escaped key", R"({"a\"\u0062":1})", R"(a"b=1;)"},
      {"escaped value", R"({"a":"\"}","b":2})", R"(a="\"}";b=2;)"},
      {"array", R"([1,"a",{"b":2}])", R"(=1;="a";={"b":2};)"},
      {"empty", "{}", ""},
      {"empty array", "[ ]", ""},
      {"scalar", "17", ""},
      {"nothing", "", ""},
      {"duplicates", R"({"a":1,"a":2})", "a=1;a=2;"},
  };
  for (const Case& c : cases) EXPECT_EQ(listed(c.given), c.want) << c.name;
}

void write_random(std::mt19937_64& random, int depth, Writer& writer) {
  switch (random() % (depth > 3 ? 4 : 6)) {
    case 0:
      writer.value(static_cast<int64_t>(random()));
      return;
    case 1:
      writer.value(std::string(random() % 40, static_cast<char>(random() % 128)));
      return;
    case 2:
      writer.value(random() % 2 == 0);
      return;
    case 3:
      writer.null();
      return;
    case 4:
      writer.begin_array();
      for (uint64_t i = random() % 4; i > 0; --i) write_random(random, depth + 1, writer);
      writer.end_array();
      return;
    default:
      writer.begin_object();
      for (uint64_t i = random() % 5; i > 0; --i) {
        writer.key(std::string(random() % 20, static_cast<char>('"' + random() % 60)));
        write_random(random, depth + 1, writer);
      }
      writer.end_object();
  }
}

TEST(FieldReader, AgreesWithTheDocument) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    Writer writer(text);
    write_random(random, 0, writer);
    const auto document = Document::parse(text);
    ASSERT_TRUE(document.ok()) << text;
    std::string want;
    for (const Value::Member& m : document->root())
      want.append(m.key).append("=").append(m.value.raw()).append(";");
    ASSERT_EQ(listed(text), want) << text;
  }
}

TEST(FieldPath, Reaches) {
  constexpr std::string_view kObject =
      R"({"total":12,"address":{"city":"上海"},"products":[{"category":"a"},{"x":1},{"category":"b"}],"tags":[1,2]})";
  struct Case {
    const char* path;
    const char* want;
  };
  const Case cases[] = {
      {"total", "12;"},
      {"address.city", "\"上海\";"},
      {"products[].category", "\"a\";\"b\";"},
      {"tags[]", "1;2;"},
      {"total.x", ""},
      {"total[]", ""},
      {"missing", ""},
      {"products.category", ""},
  };
  for (const Case& c : cases) {
    const auto path = FieldPath::parse(c.path);
    ASSERT_TRUE(path.ok()) << c.path;
    std::string got;
    path->visit(kObject, [&got](const RawValue& value) { got.append(value.raw).append(";"); });
    EXPECT_EQ(got, c.want) << c.path;
  }
  for (const char* broken : {"", ".", "a.", ".a", "[]", "a..b"})
    EXPECT_FALSE(FieldPath::parse(broken).ok()) << broken;
}

TEST(FindField, LastDuplicateWins) {
  EXPECT_EQ(find_field(R"({"a":1,"b":2,"a":3})", "a")->raw, "3");
  EXPECT_FALSE(find_field(R"({"a":1})", "b").has_value());
}

}  // namespace
}  // namespace kehu::json
