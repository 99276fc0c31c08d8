#include "json/text.h"

#include <cmath>

#include "gtest/gtest.h"

namespace kehu::json {
namespace {

using namespace std::string_literals;

TEST(Unescape, Literals) {
  struct Case {
    const char* name;
    std::string given;
    std::string want;
  };
  const Case cases[] = {
      {"plain", R"("abc")", "abc"},
      {"empty", R"("")", ""},
      {"each letter", R"("\"\\\/\b\f\n\r\t")", "\"\\/\b\f\n\r\t"},
      {"two bytes", R"("\u00e9")", "é"},
      {"three bytes", R"("\u4e2d\u6587")", "中文"},
      {"pair", R"("\ud83d\ude00!")", "😀!"},
      {"upper case digits", R"("\uD83D\uDE00")", "😀"},
      {"NUL", R"("a\u0000b")", "a\0b"s},
      {"lone high surrogate", R"("\ud83dx")", "\xef\xbf\xbdx"},
      {"lone low surrogate", R"("\ude00")", "\xef\xbf\xbd"},
      {"high, then escape", R"("\ud83d\n")", "\xef\xbf\xbd\n"},
      {"two high", R"("\ud83d\ud83d\ude00")", "\xef\xbf\xbd😀"},
      {"long, escape late", R"("0123456789012345678901234567890123\t")",
       "0123456789012345678901234567890123\t"},
  };
  for (const Case& c : cases) {
    std::string scratch = "left over";
    EXPECT_EQ(unescape(c.given, scratch), c.want) << c.name;
  }
}

TEST(AppendLiteral, EscapesAndRepairs) {
  struct Case {
    const char* name;
    std::string given;
    std::string want;
  };
  const Case cases[] = {
      {"plain", "abc", R"("abc")"},
      {"quotes", "a\"b\\c", R"("a\"b\\c")"},
      {"controls", "\n\t\r\x01\x1f\0"s, R"("\n\t\r\u0001\u001f\u0000")"},
      {"Chinese", "客户", "\"客户\""},
      {"DEL stays", "\x7f", "\"\x7f\""},
      {"not UTF-8", "a\xff"s + "b", "\"a\xef\xbf\xbd" + "b\""s},
      {"cut sequence", "\xe5\xae", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
  };
  for (const Case& c : cases) {
    std::string out = "x";
    append_literal(c.given, out);
    EXPECT_EQ(out, "x" + c.want) << c.name;
  }
}

// Short and long texts, with each byte in each place: as each byte alone is written.
TEST(AppendLiteral, EveryByteInEveryPlace) {
  const auto literal = [](std::string_view text) {
    std::string out;
    append_literal(text, out);
    return out.substr(1, out.size() - 2);
  };
  for (const size_t size : {1u, 7u, 8u, 9u, 16u, 21u}) {
    for (size_t place = 0; place < size; ++place) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(size, 'a');
        text[place] = static_cast<char>(byte);
        const std::string want =
            std::string(place, 'a') + literal(text.substr(place, 1)) + std::string(size - place - 1, 'a');
        ASSERT_EQ(literal(text), want) << "byte " << byte << " at " << place << " of " << size;
      }
    }
  }
  EXPECT_EQ(literal("\x1f"), "\\u001f");
  EXPECT_EQ(literal("\x80"), "\xef\xbf\xbd");
  EXPECT_EQ(literal(" ~"), " ~");
}

TEST(RawValue, Integers) {
  struct Case {
    const char* given;
    std::optional<int64_t> want;
  };
  const Case cases[] = {
      {"0", 0},
      {"-0", 0},
      {"-17", -17},
      {"9223372036854775807", INT64_MAX},
      {"-9223372036854775808", INT64_MIN},
      {"9223372036854775808", std::nullopt},
      {"3.0", 3},
      {"1e3", 1000},
      {"3.5", std::nullopt},
      {"1e300", std::nullopt},
      {"1e999", std::nullopt},
  };
  for (const Case& c : cases) EXPECT_EQ((RawValue{Kind::kNumber, c.given}.as_int()), c.want) << c.given;
}

TEST(RawValue, Doubles) {
  EXPECT_EQ((RawValue{Kind::kNumber, "1.5e3"}.as_double()), 1500.0);
  EXPECT_EQ((RawValue{Kind::kNumber, "1e400"}.as_double()), HUGE_VAL);
  EXPECT_EQ((RawValue{Kind::kNumber, "-1e400"}.as_double()), -HUGE_VAL);
  EXPECT_EQ((RawValue{Kind::kNumber, "1e-400"}.as_double()), 0.0);
  EXPECT_EQ((RawValue{Kind::kString, "\"1\""}.as_double()), std::nullopt);
}

TEST(Utf8, PrefixAgreesWithVerdict) {
  struct Case {
    std::string given;
    size_t want;
  };
  const Case cases[] = {
      {"plain", 5},
      {"客户", 6},
      {"a\xff", 1},
      {"a\xc0\x80", 1},         // overlong
      {"ab\xed\xa0\x80", 2},    // surrogate
      {"\xf4\x90\x80\x80", 0},  // above U+10FFFF
      {"\xf0\x8f\xbf\xbf", 0},  // overlong
      {"x\xe5\xae", 1},         // cut
      {"\xf0\x9f\x98\x80", 4},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(valid_utf8_prefix(c.given), c.want) << c.given;
    EXPECT_EQ(is_valid_utf8(c.given), c.want == c.given.size()) << c.given;
  }
}

}  // namespace
}  // namespace kehu::json
