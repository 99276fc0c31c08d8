#include "json/splitter.h"

#include <random>

#include "base/limits.h"
#include "base/text.h"
#include "gtest/gtest.h"

namespace kehu::json {
namespace {

char letter(Splitter::Shape shape) {
  switch (shape) {
    case Splitter::Shape::kWhole:
      return 'W';
    case Splitter::Shape::kTooLarge:
      return 'L';
    case Splitter::Shape::kUnclosed:
      return 'U';
    case Splitter::Shape::kBehindTheEnd:
      return 'B';
  }
  return '?';
}

// "W1:{} W2:{}": shape, number and text of each piece, fed in chunks of `size`.
std::string split(std::string_view body, size_t size) {
  Splitter splitter;
  std::string out;
  const auto drain = [&] {
    for (Splitter::Piece piece; splitter.next(piece);) {
      out.append(cat(out.empty() ? "" : " ", letter(piece.shape), piece.number, ":", piece.text));
    }
  };
  for (size_t at = 0; at < body.size(); at += size) {
    const std::string chunk(body.substr(at, size));  // gone after the call, as a socket's buffer is
    splitter.feed(chunk);
    drain();
    splitter.feed({});
  }
  splitter.finish();
  drain();
  return out;
}

TEST(Splitter, CutsAtAnyChunkSize) {
  struct Case {
    const char* name;
    const char* given;
    const char* want;
  };
  const Case cases[] = {
      {"lines", "{\"a\":1}\n{\"b\":2}\n", "W1:{\"a\":1} W2:{\"b\":2}"},
      {"no last line break", "{}\n{}", "W1:{} W2:{}"},
      {"blank lines count", "\n\n{}\n  \n{}\n\n", "W3:{} W5:{}"},
      {"Windows", "\xef\xbb\xbf{}\r\n{}\r\n", "W1:{} W2:{}"},
      {"half a byte order mark", "\xef\xbb{}", "W1:\xef\xbb{}"},
      {"empty", "", ""},
      {"spaces", " \n ", ""},
      {"array", R"([{"a":1},{"b":[1,2]},3])", R"(W1:{"a":1} W2:{"b":[1,2]} W3:3)"},
      {"array with space", " [ {} ,\n {} ] \n", "W1:{} W2:{}"},
      {"empty array", "[ ]", ""},
      {"brackets in strings", R"([{"a":"],[\"}"},{"b":"\\"}])", R"(W1:{"a":"],[\"}"} W2:{"b":"\\"})"},
      {"empty element", "[1,,2]", "W1:1 W2: W3:2"},
      {"comma before the end", "[1,]", "W1:1 W2:"},
      {"cut off", R"([{"a":1},{"b":)", R"(W1:{"a":1} U2:{"b":)"},
      {"cut off behind a comma", "[1,", "W1:1 U2:"},
      {"only the beginning", "[", "U1:"},
      {"text behind", "[1] x y", "W1:1 B2:x y"},
      {"open string ends at the line", "[\"a\n,2]", "W1:\"a W2:2"},
      {"broken line among others", "{}\n{\"a\n{}\n", "W1:{} W2:{\"a W3:{}"},
  };
  for (const Case& c : cases) {
    const std::string_view body = c.given;
    for (size_t size = 1; size <= body.size() + 1; ++size) {
      EXPECT_EQ(split(body, size), c.want) << c.name << ", chunks of " << size;
    }
  }
}

TEST(Splitter, BoundsWhatItHolds) {
  const std::string exact(limits::kEventBytes, 'x');
  const std::string large(3 * limits::kEventBytes, 'y');
  for (const size_t size : {size_t{1000}, limits::kEventBytes, size_t{1 << 20}}) {
    EXPECT_EQ(split(exact + "\r\n{}\n", size), "W1:" + exact + " W2:{}") << size;
    EXPECT_EQ(split(large + "\n{}\n", size), "L1:" + large.substr(0, limits::kEventBytes) + " W2:{}") << size;
    EXPECT_EQ(split("[" + large + ",{}]", size), "L1:" + large.substr(0, limits::kEventBytes) + " W2:{}")
        << size;
  }
}

TEST(Splitter, ChunksDoNotMatter) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  const std::string alphabet = "[]{},\"\\ \n1a";
  for (int round = 0; round < 3000; ++round) {
    std::string body = random() % 2 == 0 ? "[" : "";
    for (uint64_t i = random() % 40; i > 0; --i) body.push_back(alphabet[random() % alphabet.size()]);
    const std::string whole = split(body, body.size() + 1);
    for (const size_t size : {size_t{1}, size_t{3}, size_t{7}}) ASSERT_EQ(split(body, size), whole) << body;
  }
}

}  // namespace
}  // namespace kehu::json
