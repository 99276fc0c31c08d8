#include "json/index.h"

#include <random>

#include "gtest/gtest.h"
#include "simdjson.h"

namespace kehu::json {
namespace {

using namespace std::string_literals;

TEST(Index, RecordsPlacesAndSkips) {
  Index index;
  ASSERT_FALSE(index.scan(R"( {"a": [1, "x\n"], "b": -1.5e3} )"));
  ASSERT_EQ(index.size(), 7u);
  struct Want {
    Kind kind;
    bool is_key;
    const char* raw;
    uint32_t next;
  };
  const Want want[] = {
      {Kind::kObject, false, R"({"a": [1, "x\n"], "b": -1.5e3})", 7},
      {Kind::kString, true, "\"a\"", 2},
      {Kind::kArray, false, R"([1, "x\n"])", 5},
      {Kind::kNumber, false, "1", 4},
      {Kind::kString, false, R"("x\n")", 5},
      {Kind::kString, true, "\"b\"", 6},
      {Kind::kNumber, false, "-1.5e3", 7},
  };
  for (uint32_t i = 0; i < index.size(); ++i) {
    EXPECT_EQ(index[i].kind, want[i].kind) << i;
    EXPECT_EQ(index[i].is_key, want[i].is_key) << i;
    EXPECT_EQ(index.raw(index[i]), want[i].raw) << i;
    EXPECT_EQ(index[i].next, want[i].next) << i;
  }
  EXPECT_TRUE(index[4].escaped);
  EXPECT_FALSE(index[1].escaped);
}

TEST(Index, FlagsHalfCharacters) {
  Index index;
  ASSERT_FALSE(index.scan(R"(["\ud83d\ude00","\ud83d","\ude00","\ud83d\ud83d\ude00"])"));
  EXPECT_FALSE(index[1].lone_surrogate);
  EXPECT_TRUE(index[2].lone_surrogate);
  EXPECT_TRUE(index[3].lone_surrogate);
  EXPECT_TRUE(index[4].lone_surrogate);
}

TEST(Index, SaysWhereItBroke) {
  using Code = SyntaxError::Code;
  struct Case {
    std::string given;
    size_t position;
    Code code;
  };
  const Case cases[] = {
      {"", 0, Code::kSyntax},
      {"   ", 3, Code::kSyntax},
      {"{\"a\":}", 5, Code::kSyntax},
      {"{\"a\" 1}", 5, Code::kSyntax},
      {"{\"a\":1 \"b\":2}", 7, Code::kSyntax},
      {"[1,]", 3, Code::kSyntax},
      {"[1 2]", 3, Code::kSyntax},
      {"[1}", 2, Code::kSyntax},
      {"{} x", 3, Code::kSyntax},
      {"\"abc", 0, Code::kSyntax},
      {"\"a\nb\"", 2, Code::kSyntax},
      {"\"a\0b\""s, 2, Code::kSyntax},
      {R"("\x")", 1, Code::kSyntax},
      {R"("\u12g4")", 1, Code::kSyntax},
      {"01", 0, Code::kSyntax},
      {"1.", 2, Code::kSyntax},
      {"-", 1, Code::kSyntax},
      {"+1", 0, Code::kSyntax},
      {"1e", 2, Code::kSyntax},
      {"nul", 0, Code::kSyntax},
      {"NaN", 0, Code::kSyntax},
      {"\xef\xbb\xbf{}", 0, Code::kSyntax},
      {"[\"ab\xff\"]", 4, Code::kInvalidUtf8},
      {std::string(65, '['), 64, Code::kTooDeep},
  };
  for (const Case& c : cases) {
    Index index;
    const auto error = index.scan(c.given);
    ASSERT_TRUE(error) << c.given;
    EXPECT_EQ(error->position, c.position) << c.given << " " << error->what;
    EXPECT_EQ(error->code, c.code) << c.given;
    EXPECT_EQ(index.size(), 0u) << c.given;
  }
}

TEST(Index, DepthBoundIsExact) {
  const size_t depth = limits::kJsonDepth;
  Index index;
  EXPECT_FALSE(index.scan(std::string(depth, '[') + std::string(depth, ']')));
  EXPECT_TRUE(index.scan(std::string(depth + 1, '[') + std::string(depth + 1, ']')));
}

// simdjson's DOM gives a verdict on every value too. It differs in two defined places: a lone surrogate
// escape is an error there, and so is a number no double or 64-bit integer can hold.
bool simdjson_accepts(const std::string& text, bool& comparable) {
  simdjson::dom::parser parser;
  const auto error = parser.parse(simdjson::padded_string(text)).error();
  comparable = error != simdjson::NUMBER_ERROR && error != simdjson::STRING_ERROR;
  return error == simdjson::SUCCESS;
}

TEST(Index, AgreesWithSimdjsonOnMutatedTexts) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  const std::string base =
      R"({"type":"track","n":[-1,2.5e-3,0,true,false,null],"客":{"s":"a\\\"\u00e9\ud83d\ude00 b","e":{},"f":[]}})";
  const std::string alphabet = "{}[]:,\"\\ut0123456789.-+eE \n\t\x01\xff\xc3\xa9nf";
  Index index;
  int accepted = 0, compared = 0;
  for (int round = 0; round < 30000; ++round) {
    std::string text = base;
    for (uint64_t edits = random() % 3; edits > 0 && !text.empty(); --edits) {
      const size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[at] = alphabet[random() % alphabet.size()];
          break;
        case 1:
          text.erase(at, 1 + random() % 4);
          break;
        default:
          text.insert(at, 1, alphabet[random() % alphabet.size()]);
      }
    }
    bool comparable = true;
    const bool want = simdjson_accepts(text, comparable);
    const bool got = !index.scan(text);
    accepted += got;
    if (!comparable) continue;
    ++compared;
    ASSERT_EQ(got, want) << text;
  }
  EXPECT_GT(accepted, 5000);
  EXPECT_GT(compared, 20000);
}

TEST(Index, NoBytesBeyondTheTextAreRead) {
  // Every prefix in a buffer of exactly its size, so that AddressSanitizer sees a read behind it.
  const std::string text = R"({"a":[1,"x\u00e9",{"b":true}],"long key beyond sixteen bytes":"value \\ "})";
  for (size_t size = 0; size <= text.size(); ++size) {
    const std::unique_ptr<char[]> exact(new char[size]);
    std::copy_n(text.data(), size, exact.get());
    Index index;
    EXPECT_EQ(!index.scan({exact.get(), size}), size == text.size()) << size;
  }
}

}  // namespace
}  // namespace kehu::json
