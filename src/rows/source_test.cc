#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "rows/byte_source.h"
#include "rows/encoding.h"

namespace kehu::rows {
namespace {

std::string all_of(ByteSource& source, size_t size) {
  std::string out;
  std::string block(size, '\0');
  while (true) {
    const auto count = source.read(block.data(), block.size());
    if (!count.ok()) return out + "! " + message_of(count.status());
    if (*count == 0) return out;
    out.append(block, 0, *count);
  }
}

struct EncodingCase {
  const char* encoding;
  std::string given;
  const char* want;
};

TEST(AsUtf8, DecodesInAnyPieces) {
  const EncodingCase cases[] = {
      {"GBK", "56\xcb\xea\xd2\xd4\xc9\xcf,2", "56岁以上,2"},
      {"GB18030", "\x81\x30\x81\x30\xd6\xd0", "\xc2\x80中"},
      {"gb18030", "\xff,", "\xef\xbf\xbd,"},
      {"ISO-8859-1", "caf\xe9", "café"},
      {"latin1", "caf\xe9", "café"},
      {"UTF-8",
       "\xef\xbb\xbf"
       "a,b",
       "a,b"},
      {"UTF-8", "a\xef\xbb\xbf", "a\xef\xbb\xbf"},
      {"UTF-8", "\xef\xbb", "\xef\xbb"},
      {"UTF-8", "", ""},
      {"GBK", "", ""},
  };
  for (const auto& c : cases) {
    for (const size_t step : {1u, 2u, 100u}) {
      for (const size_t size : {1u, 3u, 100u}) {
        auto source = as_utf8(bytes_of(c.given, step), c.encoding);
        ASSERT_TRUE(source.ok()) << source.status();
        if (size < 3 && std::string_view(c.encoding) != "UTF-8")
          continue;  // less than one character of the output
        EXPECT_EQ(all_of(**source, size), c.want)
            << c.encoding << " in steps of " << step << " into " << size;
      }
    }
  }
}

// As browsers read the labels.
TEST(AsUtf8, LabelsMeanWhatFilesMeanByThem) {
  const struct {
    const char* label;
    const char* bytes;
    const char* want;
  } cases[] = {
      {"GB2312", "\xd6\xec\xe9\x46\xbb\xf9", "朱镕基"},
      {"gb_2312-80", "\xd6\xec\xe9\x46\xbb\xf9", "朱镕基"},
      {"EUC-CN", "\x88\xd2", "堃"},
      {"GB2312", "\x87\xe5", "囧"},
      {"GB2312", "\xb5\xcf\xa1\xa4\xc0\xf6", "迪·丽"},
      {"GBK", "\xb5\xcf\xa1\xa4\xc0\xf6", "迪·丽"},
      {"GBK",
       "\x80"
       "99",
       "€99"},
      {"GB18030", "\x90\x30\x81\x30", "𐀀"},
      {"Shift_JIS", "\x87\x40\xfb\xfc", "①髙"},
      {"EUC-KR", "\x8c\x63\xb0\xa1", "똠가"},
      {"ks_c_5601-1987", "\x8c\x63", "똠"},
      {"EUC-JP", "\xa4\xa2\xad\xa1", "あ①"},
      {"Big5", "\xa4\xa4\xa4\xe5", "中文"},
      {"ISO-8859-1", "\x80 na\xefve \x93", "€ naïve “"},
      {"latin1", "\x85", "…"},
      {"ISO-8859-9", "\xfd\x80", "ı€"},
      {"UTF-16", "a\0b\0", "ab"},
      {"utf-8-sig",
       "\xef\xbb\xbf"
       "ab",
       "ab"},
      {"GBK",
       "\xef\xbb\xbf"
       "中",
       "中"},  // the mark says UTF-8
  };
  for (const auto& c : cases) {
    const size_t size = std::string_view(c.label) == "UTF-16" ? 4 : std::strlen(c.bytes);
    auto source = as_utf8(bytes_of(std::string(c.bytes, size), 1), c.label);
    ASSERT_TRUE(source.ok()) << source.status();
    const std::string got = all_of(**source, 100);
    EXPECT_EQ(got, c.want) << c.label;
    EXPECT_TRUE(TextCheck(c.label).is_readable(got)) << c.label;
  }
}

TEST(AsUtf8, BytesThatAnEncodingDoesNotHaveMakeTheTextUnreadable) {
  const struct {
    const char* label;
    const char* bytes;
  } cases[] = {
      {"GB2312", "\xd6\xff"},
      {"GBK", "\xff"},
      {"GB18030", "\x81\x30\x81"},
      {"EUC-CN", "\xa1"},
      {"Shift_JIS", "\x82\xff\xfd"},
      {"Shift_JIS", "\x85\xa0"},
      {"EUC-KR", "\xc7\x41\xfe"},
      {"EUC-KR", "\xc9\xa1"},
      {"EUC-JP", "\xa4\x41"},
      {"Big5", "\xff\xff"},
      {"US-ASCII", "\xc3"},
      {"ISO-8859-1", "\x81"},
      {"windows-1252", "\x9d"},
      {"UTF-8", "\xc3"},
      {"UTF-16",
       "\x00\xd8"
       "a"},
  };
  for (const auto& c : cases) {
    const size_t size = std::string_view(c.label) == "UTF-16" ? 3 : std::strlen(c.bytes);
    auto source = as_utf8(bytes_of(std::string(c.bytes, size), 1), c.label);
    ASSERT_TRUE(source.ok()) << source.status();
    const std::string got = all_of(**source, 100);
    EXPECT_FALSE(TextCheck(c.label).is_readable(got)) << c.label << " gives " << got;
    EXPECT_EQ(got.find('\x1a'), got.npos) << c.label;
  }
  // What somebody wrote is kept.
  EXPECT_TRUE(TextCheck("GBK").is_readable("a\x1a\t\x7f·é"));
  EXPECT_TRUE(TextCheck("UTF-8").is_readable("\xef\xbf\xbd\xc2\x85"));
}

TEST(AsUtf8, UnknownEncodingsAreRefused) { EXPECT_FALSE(as_utf8(bytes_of(""), "GBKK").ok()); }

class OpenFile : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::temp_directory_path() / cat("kehu-source-test-", ::getpid());
    std::filesystem::create_directories(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string write(const std::string& name, const std::string& bytes) {
    const std::string path = directory_ / name;
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  std::filesystem::path directory_;
};

// gzip of "hello\n" (RFC 1952).
const std::string kGzip(
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\xe7\x02\x00\x20\x30\x3a\x36\x06\x00\x00"
    "\x00",
    26);

TEST_F(OpenFile, UnpacksGzipWhateverItsName) {
  EXPECT_EQ(all_of(**open_file(write("a.csv", "hello\n")), 4), "hello\n");
  EXPECT_EQ(all_of(**open_file(write("a.csv.gz", kGzip)), 4), "hello\n");
  EXPECT_EQ(all_of(**open_file(write("b.csv", kGzip)), 4), "hello\n");
  EXPECT_EQ(all_of(**open_file(write("two.gz", kGzip + kGzip)), 4), "hello\nhello\n");
}

TEST_F(OpenFile, DamagedGzipIsAnErrorNotAnEnd) {
  EXPECT_THAT(all_of(**open_file(write("cut.gz", kGzip.substr(0, 20))), 100),
              testing::HasSubstr("ends too early"));
  std::string flipped = kGzip;
  flipped[20] ^= 1;
  EXPECT_THAT(all_of(**open_file(write("flipped.gz", flipped)), 100),
              testing::HasSubstr("cannot be unpacked"));
}

TEST_F(OpenFile, MissingFilesAreNamed) {
  const auto source = open_file(directory_ / "none.csv");
  EXPECT_EQ(source.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(message_of(source.status()), testing::HasSubstr("none.csv"));
  const auto directory = open_file(directory_);
  EXPECT_EQ(directory.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(message_of(directory.status()), testing::HasSubstr("is a directory: name the files in it"));
}

}  // namespace
}  // namespace kehu::rows
