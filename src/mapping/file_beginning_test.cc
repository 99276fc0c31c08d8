#include "mapping/file_beginning.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "mapping/mapping.h"

namespace kehu::mapping {
namespace {

FileBeginning beginning(const std::string& text, const std::string& encoding = "UTF-8") {
  Mapping mapping;
  mapping.columns = {"a"};
  auto utf8 = rows::as_utf8(rows::bytes_of(text), encoding);
  auto reader = rows::read_csv(mapping, *std::move(utf8), "f.csv");
  EXPECT_TRUE(reader.ok()) << reader.status();
  return beginning_of(**reader);
}

TEST(FileBeginning, IsTheSameHoweverTheRowsWereSaved) {
  const FileBeginning want = beginning("a,b\n1,李\n2,y\n");
  ASSERT_EQ(want.heads.size(), 2u);
  EXPECT_TRUE(want.whole);
  struct Case {
    const char* name;
    std::string text;
    const char* encoding;
  };
  const Case cases[] = {
      {"byte order mark",
       "\xef\xbb\xbf"
       "a,b\n1,李\n2,y\n",
       "UTF-8"},
      {"CRLF", "a,b\r\n1,李\r\n2,y\r\n", "UTF-8"},
      {"no last line feed", "a,b\n1,李\n2,y", "UTF-8"},
      {"quotes", "\"a\",\"b\"\n\"1\",\"李\"\n2,\"y\"\n", "UTF-8"},
      {"GBK", "a,b\n1,\xc0\xee\n2,y\n", "GBK"},
      {"an empty line behind", "a,b\n1,李\n2,y\n\n", "UTF-8"},
  };
  for (const Case& c : cases) EXPECT_EQ(beginning(c.text, c.encoding).heads, want.heads) << c.name;
}

TEST(FileBeginning, IsTheSameWithAnotherDelimiter) {
  Mapping mapping;
  mapping.columns = {"a"};
  mapping.file.delimiter = ';';
  auto reader = rows::read_csv(mapping, rows::bytes_of("a;b\n1;\"x,y\"\n"), "f.csv");
  EXPECT_EQ(beginning_of(**reader).heads, beginning("a,b\n1,\"x,y\"\n").heads);
}

TEST(FileBeginning, OfJsonIsTheSameHoweverItIsSpelt) {
  Mapping mapping;
  mapping.file.format = rows::FileFormat::kNdjson;
  mapping.columns = {"a"};
  const auto of = [&](auto read, const char* text) {
    auto utf8 = rows::as_utf8(rows::bytes_of(text), "UTF-8");
    auto reader = read(*std::move(utf8));
    EXPECT_TRUE(reader.ok()) << reader.status();
    return beginning_of(**reader);
  };
  const auto lines = [&](auto source) { return rows::read_ndjson(mapping, std::move(source)); };
  const auto documents = [&](auto source) {
    return rows::read_json_documents(mapping, std::move(source), "f");
  };
  const FileBeginning want = of(lines, "{\"a\":1,\"b\":\"x\"}\n{\"a\":2}\n");
  ASSERT_EQ(want.heads.size(), 2u);
  EXPECT_EQ(of(lines, "{\"b\": \"x\", \"a\": 1}\n{\"a\": 2}\n").heads, want.heads);
  EXPECT_EQ(of(documents, "[\n {\"a\": 1,\n  \"b\": \"x\"},\n {\"a\": 2}\n]").heads, want.heads);
  EXPECT_NE(of(lines, "{\"a\":1}\n{\"a\":2}\n").heads, want.heads);
}

// What is read of a line while it is being written.
TEST(FileBeginning, SaysWhetherItsLastLineHasAnEnd) {
  EXPECT_TRUE(beginning("a,b\n1,x").last_may_grow);
  EXPECT_FALSE(beginning("a,b\n1,x\n").last_may_grow);
  EXPECT_FALSE(beginning("a,b\r\n1,x\r\n").last_may_grow);
  EXPECT_TRUE(beginning("a,b\n1,\"x").last_may_grow);
  EXPECT_EQ(beginning("a,b\n1,\"x\"\n").first_row, "1,x");
}

TEST(FileBeginning, OfAGrownFileGoesOn) {
  const FileBeginning before = beginning("a\n1\n2\n");
  const FileBeginning after = beginning("a\n1\n2\n3\n");
  ASSERT_EQ(after.heads.size(), 3u);
  EXPECT_EQ(after.heads[1], before.heads[1]);
  EXPECT_NE(beginning("a\n2\n1\n").heads[1], before.heads[1]);
  EXPECT_NE(beginning("a\n12\n").heads[0], before.heads[1]);
}

TEST(FileBeginning, EndsWhenThereIsEnough) {
  std::string text = "a\n";
  for (int i = 0; i < 2000; ++i) text += cat(i, "\n");
  const FileBeginning large = beginning(text);
  EXPECT_FALSE(large.whole);
  EXPECT_GT(large.heads.size(), 500u);
  EXPECT_LT(large.heads.size(), 1500u);
  EXPECT_EQ(beginning(text + "more\n").heads, large.heads);
  EXPECT_EQ(beginning(cat("a\n", std::string(9000, 'x'), "\ny\n")).heads.size(), 1u);
  EXPECT_TRUE(beginning("a\n").heads.empty());
}

}  // namespace
}  // namespace kehu::mapping
