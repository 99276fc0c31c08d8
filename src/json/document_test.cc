#include "json/document.h"

#include "gtest/gtest.h"

namespace kehu::json {
namespace {

Document parsed(std::string_view text) {
  auto document = Document::parse(text);
  EXPECT_TRUE(document.ok()) << document.status();
  return *std::move(document);
}

TEST(Document, ReadsValues) {
  const Document document =
      parsed(R"( {"a": [1, "two", {"b": null}], "c": true, "d": -12.50, "e\n": "\u4e2d"} )");
  const Value root = document.root();
  EXPECT_EQ(root.size(), 4u);
  EXPECT_EQ(root.find("a").size(), 3u);
  EXPECT_EQ(root.find("a").at(0).as_int(), 1);
  EXPECT_EQ(root.find("a").at(1).as_string(), "two");
  EXPECT_TRUE(root.find("a").at(2).find("b").exists());
  EXPECT_TRUE(root.find("a").at(2).find("b").is_null());
  EXPECT_EQ(root.find("c").as_bool(), true);
  EXPECT_EQ(root.find("d").raw(), "-12.50");
  EXPECT_EQ(root.find("e\n").as_string(), "中");
  EXPECT_EQ(root.find("a").raw(), R"([1, "two", {"b": null}])");
}

TEST(Document, MissingValuesChain) {
  const Document document = parsed("[1]");
  const Value missing = document.root().find("x").find("y").at(3);
  EXPECT_FALSE(missing.exists());
  EXPECT_TRUE(missing.is_null());
  EXPECT_EQ(missing.size(), 0u);
  EXPECT_EQ(missing.raw(), "");
  EXPECT_EQ(missing.as_string(), std::nullopt);
  EXPECT_FALSE(document.root().at(1).exists());
}

TEST(Document, LastDuplicateKeyWins) { EXPECT_EQ(parsed(R"({"a":1,"a":2})").root().find("a").as_int(), 2); }

TEST(Document, IteratesMembersAndElements) {
  const Document document = parsed(R"({"a":1,"b":[true,[]],"c":"x"})");
  std::string keys, kinds;
  for (const Value::Member& member : document.root()) keys += member.key;
  for (const Value::Member& member : document.root().find("b"))
    kinds += std::string(to_string(member.value.kind())) + ";";
  EXPECT_EQ(keys, "abc");
  EXPECT_EQ(kinds, "a boolean;an array;");
}

TEST(Document, SurvivesMoves) {
  Document first = parsed(R"({"a":"short"})");
  const Document second = std::move(first);
  EXPECT_EQ(second.root().find("a").as_string(), "short");
}

TEST(Document, ErrorsSayWhereAndWhat) {
  const auto document = Document::parse(R"({"a":1,})");
  ASSERT_FALSE(document.ok());
  EXPECT_EQ(document.status().message(), "invalid JSON at byte 7: a key must be a string");
}

}  // namespace
}  // namespace kehu::json
