#include "coding/inflate.h"

#include "base/limits.h"
#include "coding/packing.h"
#include "gtest/gtest.h"

namespace kehu::coding {
namespace {

std::string noise(size_t size) {
  std::string out;
  uint64_t state = 1;
  while (out.size() < size)
    out.push_back(static_cast<char>((state = state * 6364136223846793005ULL + 1) >> 57));
  return out;
}

TEST(Inflate, GivesBackWhatWasCompressed) {
  const std::string text = noise(300'000);
  for (const std::string& body : {gzipped(text), deflated(text, MAX_WBITS),
                                  gzipped(text.substr(0, 100'000)) + gzipped(text.substr(100'000))}) {
    const auto whole = inflate_body(body, 1 << 20);
    ASSERT_TRUE(whole.ok()) << whole.status();
    EXPECT_EQ(*whole, text);
    std::string out;
    Inflater inflater(1 << 20);
    for (size_t at = 0; at < body.size(); at += 777) {
      ASSERT_TRUE(
          inflater.feed(body.substr(at, 777), [&out](std::string_view piece) { out.append(piece); }).ok());
    }
    EXPECT_TRUE(inflater.finish().ok());
    EXPECT_EQ(out, text);
  }
}

TEST(Inflate, RefusesBombsAndDamage) {
  const std::string good = gzipped(noise(100'000));
  const std::string bomb = gzipped(std::string(64 << 20, 'a'));
  std::string damaged = good;
  damaged[damaged.size() / 2] ^= 0x55;
  struct Case {
    const char* name;
    std::string body;
    size_t max;
    absl::StatusCode want;
  };
  const Case cases[] = {
      {"ratio", bomb, 1ull << 30, absl::StatusCode::kResourceExhausted},
      {"size", good, 99'999, absl::StatusCode::kResourceExhausted},
      {"exact size", good, 100'000, absl::StatusCode::kOk},
      {"cut off", good.substr(0, good.size() - 9), 1 << 20, absl::StatusCode::kInvalidArgument},
      {"damaged", damaged, 1 << 20, absl::StatusCode::kInvalidArgument},
      {"no gzip", "hello", 1 << 20, absl::StatusCode::kInvalidArgument},
      {"empty", "", 1 << 20, absl::StatusCode::kInvalidArgument},
      {"garbage behind", good + "xyz", 1 << 20, absl::StatusCode::kInvalidArgument},
      {"zeros behind", good + std::string(512, '\0'), 1 << 20, absl::StatusCode::kOk},
      {"a member behind zeros", good + std::string(512, '\0') + good, 1 << 20,
       absl::StatusCode::kInvalidArgument},
      {"small and repetitive", gzipped(std::string(60'000, 'a')), 1 << 20, absl::StatusCode::kOk},
  };
  for (const Case& c : cases) EXPECT_EQ(inflate_body(c.body, c.max).status().code(), c.want) << c.name;
}

TEST(Inflate, ZerosBeforeSomethingElseAreNoPadding) {
  const std::string good = gzipped("x");
  const auto nothing = [](std::string_view) {};
  Inflater padded(1 << 20), joined(1 << 20);
  ASSERT_TRUE(padded.feed(good + std::string(512, '\0'), nothing).ok());
  EXPECT_EQ(padded.padding_bytes(), 512u);
  ASSERT_TRUE(joined.feed(good + std::string(512, '\0'), nothing).ok());
  EXPECT_FALSE(joined.feed(good, nothing).ok());
  EXPECT_EQ(joined.padding_bytes(), 0u);
}

// HTTP's deflate is zlib's form; some leave its header out.
TEST(Inflate, ReadsDeflateWithoutItsHeader) {
  for (const std::string& text : {std::string(R"({"a":1})"), std::string(), noise(100'000)}) {
    const std::string raw = deflated(text, -MAX_WBITS);
    const auto plain = inflate_body(raw, 1 << 20, packing_of(raw));
    ASSERT_TRUE(plain.ok()) << plain.status();
    EXPECT_EQ(*plain, text);
    EXPECT_EQ(packing_of(deflated(text, MAX_WBITS)), Packing::kGzipOrZlib);
    EXPECT_EQ(packing_of(gzipped(text)), Packing::kGzipOrZlib);
  }
}

TEST(Inflate, StaysFailed) {
  Inflater inflater(1 << 20);
  const auto nothing = [](std::string_view) {};
  EXPECT_FALSE(inflater.feed("junk", nothing).ok());
  EXPECT_FALSE(inflater.feed(gzipped("x"), nothing).ok());
  EXPECT_FALSE(inflater.finish().ok());
}

TEST(Inflate, KnowsGzip) {
  EXPECT_TRUE(is_gzip(gzipped("x")));
  EXPECT_FALSE(is_gzip("{\"a\":1}"));
  EXPECT_FALSE(is_gzip("\x1f"));
}

}  // namespace
}  // namespace kehu::coding
