#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "mapping/byte_source.h"

namespace kehu::mapping {
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
}

}  // namespace
}  // namespace kehu::mapping
