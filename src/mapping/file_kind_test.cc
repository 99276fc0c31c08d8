#include "mapping/file_kind.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "base/text.h"
#include "rows/file_head.h"

namespace kehu::mapping {
namespace {

using namespace std::string_literals;

Mapping mapping_of(rows::FileFormat format, std::string encoding = "UTF-8") {
  Mapping mapping;
  mapping.name = "m.toml";
  mapping.file.format = format;
  mapping.file.encoding = std::move(encoding);
  return mapping;
}

constexpr const char* kNoJson =
    "f is no JSON: no line begins with {: if it is CSV, write format = \"csv\" into [file] of m.toml";
const std::string kWorkbookHead = "PK\x03\x04\x14" + std::string(25, '\0') + "docProps/app.xml";

TEST(CheckKind, NamesWhatIsNoText) {
  struct Case {
    rows::FileFormat format;
    std::string given;
    const char* want;
  };
  const Case cases[] = {
      {rows::FileFormat::kCsv, "a,b\n1,2\n", ""},
      {rows::FileFormat::kCsv, "PK\x03\x04\x14", "f is a zip archive: unpack it with `unzip` first"},
      {rows::FileFormat::kNdjson, "PK\x03\x04\x14", "f is a zip archive: unpack it with `unzip` first"},
      {rows::FileFormat::kCsv, "BZh91AY&SYxx", "f is packed by bzip2: unpack it with `bunzip2` first"},
      {rows::FileFormat::kCsv, "BZhang,Li\n", ""},
      {rows::FileFormat::kLog, "\x28\xb5\x2f\xfd..",
       "f is packed by Zstandard: unpack it with `zstd -d` first"},
      {rows::FileFormat::kCsv, "\xfd\x37zXZ\0.."s, "f is packed by xz: unpack it with `unxz` first"},
      {rows::FileFormat::kCsv, "7z\xbc\xaf\x27\x1c..",
       "f is an archive of 7-Zip: unpack it with `7z x` first"},
      {rows::FileFormat::kCsv, "PAR1....",
       "f is a Parquet file: write format = \"parquet\" into [file] of m.toml"},
      {rows::FileFormat::kCsv, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
       "f is an old workbook (.xls), or a workbook with a password: save it as .xlsx or CSV, without a "
       "password"},
      {rows::FileFormat::kCsv, "\xef\xbb\xbf\r\n<!DOCTYPE HTML><html>",
       "f is an HTML page, whatever its name: open it in a spreadsheet program and save it as .xlsx or CSV"},
      {rows::FileFormat::kCsv, "<Table border=1>",
       "f is an HTML page, whatever its name: open it in a spreadsheet program and save it as .xlsx or CSV"},
      {rows::FileFormat::kLog, "<html> is what the line says", ""},
      {rows::FileFormat::kCsv, "<34>Oct 11,x\n", ""},
      {rows::FileFormat::kCsv, "{\"a\":1}\n", "f is JSON: write format = \"ndjson\" into [file] of m.toml"},
      {rows::FileFormat::kCsv, "[\n {\"a\":1}]",
       "f is JSON: write format = \"ndjson\" into [file] of m.toml"},
      {rows::FileFormat::kCsv, "[id],[name]\n", ""},
      {rows::FileFormat::kCsv, std::string(257, 'x') + "ustar\0"s,
       "f is a tar archive: unpack it with `tar -xf` first"},
      {rows::FileFormat::kCsv, std::string("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\4\0\0\0\3\0", 24),
       "f is a PNG image: export its rows as CSV first"},
      {rows::FileFormat::kCsv, "ORC\x08\x03\0\0\x10"s, "f is an ORC file: write it as Parquet first"},
      {rows::FileFormat::kCsv, "ORC,b\n1,2\n", ""},
      {rows::FileFormat::kNdjson, kWorkbookHead,
       "f is a workbook (.xlsx): write format = \"xlsx\" into [file] of m.toml"},
      {rows::FileFormat::kLog, kWorkbookHead,
       "f is a workbook (.xlsx): write format = \"xlsx\" into [file] of m.toml"},
      {rows::FileFormat::kCsv, kWorkbookHead,
       "f is a workbook (.xlsx) that cannot be read: save it again or fetch it again"},
      {rows::FileFormat::kCsv,
       "PK\x03\x04\x14" + std::string(25, '\0') + "word/document.xml[Content_Types].xml",
       "f is a zip archive: unpack it with `unzip` first"},
      {rows::FileFormat::kCsv,
       "PK\x03\x04\x14" + std::string(25, '\0') + "mimetypeapplication/vnd.oasis.opendocument.spreadsheetPK",
       "f is an OpenDocument file: save it as .xlsx or CSV"},
      {rows::FileFormat::kNdjson, "u,t\n1,2\n", kNoJson},
      {rows::FileFormat::kNdjson, "\n  \"text\"\n1\n", kNoJson},
      {rows::FileFormat::kNdjson, "broken line\n{\"u\":1}\n", ""},
      {rows::FileFormat::kNdjson, "\xef\xbb\xbf{\"u\":1", ""},
      {rows::FileFormat::kNdjson, "\xff\xfe{\0\"\0u\0\"\0:\0"s, ""},
      {rows::FileFormat::kNdjson, "\x1e{\"u\":1}\n", ""},
      {rows::FileFormat::kNdjson, "\n\n", ""},
      {rows::FileFormat::kXlsx, "a,b\n",
       "f is no workbook (.xlsx): if it is text, write format = \"csv\" into [file] of m.toml"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(message_of(check_kind(mapping_of(c.format), "f", c.given)), c.want) << c.given;
  }
}

TEST(CheckKind, AWorkbookMayBePacked) {
  const std::string path = cat(testing::TempDir(), "/book-", ::getpid(), ".xlsx.gz");
  std::ofstream(path, std::ios::binary) << "\x1f\x8b";
  const auto said = [&](rows::FileFormat format) {
    return message_of(check_kind(mapping_of(format), path, kWorkbookHead)).substr(path.size());
  };
  EXPECT_EQ(said(rows::FileFormat::kCsv),
            " is a workbook (.xlsx) that is packed by gzip: unpack it with `gunzip` first");
  EXPECT_EQ(said(rows::FileFormat::kNdjson),
            " is a workbook (.xlsx) that is packed by gzip: unpack it with `gunzip` first and write format = "
            "\"xlsx\" into [file] of m.toml");
}

// UTF-16 has its zeros on one side of the letters.
TEST(CheckText, ZerosAreNotAlwaysUtf16) {
  const std::string rows = "id,name\n1,x\n2,y\n3,z\n";
  struct Case {
    const char* name;
    std::string given;
    const char* want;
  };
  const Case cases[] = {
      {"little", "i\0d\0,\0n\0\n\0"s, "UTF-16LE"},
      {"big", "\0i\0d\0,\0n\0\n"s, "UTF-16BE"},
      {"little, with letters beyond ASCII", "\x00\x4e,\0\x8b\x4e\n\0001\0,\0002\0\n\0"s, "UTF-16LE"},
      {"padded", rows + std::string(40, '\0'), "UTF-8"},
      {"padded more", rows + std::string(512, '\0'), "UTF-8"},
      {"zeros on both sides", "IHDR\0\0\4\0\0\0\3\0\1\2\0\0\0x"s, "UTF-8"},
  };
  for (const Case& c : cases) EXPECT_EQ(rows::encoding_of(c.given), c.want) << c.name;
}

TEST(CheckText, KnowsEncodingsOfTwoBytes) {
  struct Case {
    const char* name;
    std::string given;
    const char* want;
  };
  const Case cases[] = {
      {"GBK", "\xd0\xd5\xc3\xfb,\xb3\xc7\xca\xd0\n1,\xb1\xb1\xbe\xa9\n2,\xb1\xb1\xbe\xa9\n", "GBK"},
      {"GBK, one city in many rows", "city\n\xb1\xb1\xbe\xa9\n\xb1\xb1\xbe\xa9\n\xb1\xb1\xbe\xa9\n"s, "GBK"},
      {"Big5", "\xb7\x7c\xad\xfb,\xa9\x6d\xa6\x57\nm1,\xa4\xfd\xa4\x70\xa9\xfa\n", "Big5"},
      {"Shift_JIS", "\x89\xef\x88\xf5,\x8e\x81\x96\xbc\nm1,\x8e\x52\x93\x63\x91\xbe\x98\x59\n", "Shift_JIS"},
      {"EUC-KR",
       "\xc8\xb8\xbf\xf8\xb9\xf8\xc8\xa3,\xc0\xcc\xb8\xa7,\xb0\xa1\xc0\xd4\xc0\xcf\n"
       "m1,\xb1\xe8\xc3\xb6\xbc\xf6,\xbc\xad\xbf\xef\n",
       "EUC-KR"},
      {"EUC-JP",
       "\xb2\xf1\xb0\xf7\xc8\xd6\xb9\xe6,\xbe\xa6\xc9\xca,\xc6\xfc\xc9\xd5\nk1,"
       "\xa4\xea\xa4\xf3\xa4\xb4\xa4\xce\xa5\xb8\xa5\xe5\xa1\xbc\xa5\xb9,\xba\xf2\xc6\xfc\nk2,"
       "\xa5\xb3\xa1\xbc\xa5\xd2\xa1\xbc\xb5\xed\xc6\xfd\xa4\xf2\xc6\xf3\xcb\xdc,\xba\xa3\xc6\xfc\n",
       "EUC-JP"},
      {"EUC-JP, katakana",
       "\xbe\xa6\xc9\xca\n\xa5\xb3\xa1\xbc\xa5\xd2\xa1\xbc\n\xa5\xd3\xa1\xbc\xa5\xeb\n\xa5\xce\xa1\xbc\xa5"
       "\xc8\n",
       "EUC-JP"},
      {"EUC-JP, of half width",
       "\xbe\xa6\xc9\xca\n\x8e\xba\x8e\xb0\x8e\xcb\x8e\xb0\n\x8e\xcb\x8e\xde\x8e\xb0\x8e\xd9\n", "EUC-JP"},
      {"kanji alone, which GBK has too",
       "\xbb\xe1\xcc\xbe\n\xbb\xb3\xc5\xc4\xc2\xc0\xcf\xba\n\xce\xeb\xcc\xda\xb0\xec\xcf\xba\n", "GBK"},
      {"Chinese with a Japanese letter",
       "\xc3\xfb\xb3\xc6,\xcb\xb5\xc3\xf7\n\xc8\xd5\xb1\xbe\xa4\xce\xb2\xe8,"
       "\xd6\xd0\xb9\xfa\xc8\xcb\xd4\xda\xc8\xd5\xb1\xbe\xc2\xf2\xb5\xc4\xb6\xab\xce\xf7\xb6\xbc\xca\xc7\xd2"
       "\xaa\xd3\xc3\xc8\xd5\xd4\xaa\xb5\xc4\n",
       "GBK"},
      {"Chinese about Japanese goods",
       "\xc3\xfb\xb3\xc6,\xb1\xb8\xd7\xa2\n\xa4\xea\xa4\xf3\xa4\xb4\xa5\xb8\xa5\xe5\xa9`\xa5\xb9,"
       "\xc8\xd5\xb1\xbe\xbd\xf8\xbf\xda\xb5\xc4\xc6\xbb\xb9\xfb\xd6\xad\xa3\xac\xce\xb6\xb5\xc0\xba\xdc\xba"
       "\xc3\xa3\xac\xb4\xf3\xbc\xd2\xb6\xbc\xcf\xb2\xbb\xb6\n\xa5\xb3\xa5\xd2\xa5\xdf\xa5\xeb\xa5\xaf,"
       "\xd5\xe2\xca\xc7\xd4\xda\xc8\xd5\xb1\xbe\xd7\xee\xd3\xd0\xc3\xfb\xb5\xc4\xbf\xa7\xb7\xc8\xc5\xa3\xc4"
       "\xcc\xa3\xac\xc3\xbf\xd4\xc2\xcf\xde\xc1\xbf\xb9\xa9\xd3\xa6\n",
       "GBK"},
      {"Latin letters", "stadt\nM\xfcnchen\nK\xf6ln\n\xc4gypten\n\xc4rger\n\xc5land\n", "windows-1252"},
      {"typographic quotes", "note\n\x93Hello\x94 \x96 he said\n\x93No\x94\n", "windows-1252"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(rows::encoding_of(c.given), c.want) << c.name;
    Mapping mapping;
    mapping.name = "m.toml";
    const std::string said = message_of(rows::check_text(mapping, "f", c.given));
    const bool known = std::string_view(c.want) != "windows-1252";
    EXPECT_EQ(said.find(cat("looks like ", c.want)) != said.npos, known) << c.name << ": " << said;
  }
}

TEST(CheckText, Utf8IsNotReadAsAnythingElse) {
  Mapping mapping;
  mapping.name = "m.toml";
  const auto said = [&](const char* encoding, const std::string& text) {
    mapping.file.encoding = encoding;
    return message_of(rows::check_text(mapping, "f", text));
  };
  for (const char* encoding : {"GBK", "Big5", "ISO-8859-1", "Shift_JIS"}) {
    EXPECT_EQ(said(encoding, "姓名,城市\n李娜,上海\n"),
              cat("f is UTF-8, not ", encoding, ": write encoding = \"UTF-8\" into [file] of m.toml"));
    EXPECT_EQ(said(encoding, "\xef\xbb\xbf姓名,城市\n"), "") << "the mark says so";
    EXPECT_EQ(said(encoding, "name,city\n"), "");
  }
  for (const char* encoding : {"UTF-8", "utf8", "utf-8-sig"}) {
    EXPECT_EQ(said(encoding, "姓名,城市\n李娜,上海\n"), "") << encoding;
    EXPECT_NE(said(encoding, "\xd0\xd5\xc3\xfb,\xca\xd6\xbb\xfa\n"), "") << encoding;
  }
}

TEST(CheckText, KnowsUndeclaredGbk) {
  struct Case {
    const char* name;
    std::string given;
    bool gbk;
  };
  const Case cases[] = {
      {"a header", "\xd0\xd5\xc3\xfb,\xca\xd6\xbb\xfa\n1,2\n", true},
      {"values alone", "name,phone\n\xc0\xee\xc4\xc8,1\n", true},
      {"UTF-8", "姓名,手机\n李娜,1\n", false},
      {"UTF-8, cut in a character", std::string("姓名,手机\n李娜").substr(0, 17), false},
      {"one broken byte in UTF-8", "姓名,手机\n\xff李娜,1\n", false},
      {"Latin-1", "name\ncaf\xe9\nM\xfcller\n", false},
      {"ASCII", "name\n", false},
  };
  for (const Case& c : cases) {
    const absl::Status status = rows::check_text(mapping_of(rows::FileFormat::kCsv), "f", c.given);
    EXPECT_EQ(status.ok(), !c.gbk) << c.name << ": " << status;
    const bool utf8 = std::string_view(c.name).starts_with("UTF-8");
    EXPECT_EQ(rows::check_text(mapping_of(rows::FileFormat::kCsv, "GBK"), "f", c.given).ok(), !utf8)
        << c.name;
  }
}

TEST(IsJsonDocument, TellsDocumentsFromLines) {
  struct Case {
    const char* given;
    bool want;
  };
  const Case cases[] = {
      {"[\n{\"a\":1}\n]", true},
      {"\xef\xbb\xbf [{\"a\":1},{\"a\":2}]", true},
      {"{\n  \"a\": 1\n}\n", true},
      {"{\"a\": {\n  \"b\": 1}}\n", true},
      {"{\n}\n", true},
      {"{\"a\":1}\n{\"a\":2}\n", false},
      {"{\"a\":1\n{\"a\":2}\n", false},
      {"{\"a\":\"{\"}\n\"x\"\n", false},
      {"{\"a\":\"\\\"{\"}\n\"x\"\n", false},
      {"{\"a\":1", false},
      {"{\"a\":1},\n{\"a\":2}\n", true},
      {"{\"a\":1} , \r\n", true},
      {"{\"a\":1},{\"a\":2}\n", true},
      {"{\"a\":1}, \"b\":2}\n{\"a\":2}\n", false},
      {"{\"a\":1}\n,", false},
      {"\x1e{\"a\":1}\n", true},
      {"text\n", false},
      {"", false},
  };
  for (const Case& c : cases) EXPECT_EQ(is_json_document(c.given), c.want) << c.given;
}

TEST(CheckParquet, SaysWhatElseItIs) {
  const std::string path = cat(testing::TempDir(), "/kind-", ::getpid());
  struct Case {
    std::string given;
    const char* want;
  };
  const Case cases[] = {
      {"PAR1....footerPAR1", ""},
      {"PAR1....foot", " is a Parquet file without its end: it was cut off, fetch it again"},
      {"a,b\n1,2\n", " is no Parquet file: it looks like text; write format = \"csv\" into [file] of m.toml"},
      {"{\"a\":1}\n",
       " is no Parquet file: it looks like text; write format = \"ndjson\" into [file] of m.toml"},
      {"PK\x03\x04.", " is no Parquet file but a zip archive: unpack it with `unzip` first"},
      {kWorkbookHead, " is a workbook (.xlsx): write format = \"xlsx\" into [file] of m.toml"},
      {"\x1f\x8b..", " is no Parquet file but packed by gzip: unpack it with `gunzip` first"},
      {"\0\1\2"s, " is no Parquet file: its first bytes are not PAR1; write it again"},
  };
  for (const Case& c : cases) {
    std::ofstream(path, std::ios::binary) << c.given;
    const std::string said = message_of(check_parquet(mapping_of(rows::FileFormat::kParquet), path));
    EXPECT_EQ(said, *c.want == '\0' ? "" : path + c.want);
  }
}

}  // namespace
}  // namespace kehu::mapping
