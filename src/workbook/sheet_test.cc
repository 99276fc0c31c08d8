#include "workbook/sheet.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zip.h>

#include <filesystem>
#include <map>

#include "base/text.h"
#include "workbook/archive.h"
#include "workbook/parts.h"

namespace kehu::workbook {
namespace {

using PartTexts = std::map<std::string, std::string>;

// A workbook of these sheets, as spreadsheet programs write it. Parts in `more` replace or are added.
PartTexts workbook_of(const std::string& sheet_data, PartTexts more = {}) {
  PartTexts parts = {
      {"xl/workbook.xml",
       R"(<workbook xmlns:r="r"><sheets><sheet name="Hidden" sheetId="1" state="hidden" r:id="rId9"/>)"
       R"(<sheet name="Orders" sheetId="2" r:id="rId1"/><sheet name="销售" sheetId="3" r:id="rId2"/></sheets></workbook>)"},
      {"xl/_rels/workbook.xml.rels",
       R"(<Relationships><Relationship Id="rId1" Type="http://x/worksheet" Target="worksheets/sheet1.xml"/>)"
       R"(<Relationship Id="rId2" Type="http://x/worksheet" Target="/xl/worksheets/sheet2.xml"/>)"
       R"(<Relationship Id="rId9" Type="http://x/worksheet" Target="worksheets/sheet9.xml"/></Relationships>)"},
      {"xl/styles.xml",
       R"(<styleSheet><numFmts><numFmt numFmtId="164" formatCode="yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot;"/></numFmts>)"
       R"(<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>)"
       R"(<cellXfs><xf numFmtId="0"/><xf numFmtId="22"/><xf numFmtId="164"/><xf numFmtId="4"/></cellXfs></styleSheet>)"},
      {"xl/sharedStrings.xml",
       R"(<sst><si><t>user</t></si><si><t>placed</t></si><si><r><t>李</t></r><r><t>娜</t></r><rPh><t>lina</t></rPh></si>)"
       R"(<si><t xml:space="preserve"> a, "b" </t></si></sst>)"},
      {"xl/worksheets/sheet1.xml", cat("<worksheet><sheetData>", sheet_data, "</sheetData></worksheet>")},
      {"xl/worksheets/sheet2.xml",
       R"(<x:worksheet xmlns:x="m"><x:sheetData><x:row><x:c><x:v>7</x:v></x:c></x:row></x:sheetData></x:worksheet>)"},
      {"xl/worksheets/sheet9.xml", "<worksheet/>"},
  };
  for (auto& [name, text] : more) parts[name] = text;
  return parts;
}

std::string written(const PartTexts& parts) {
  const std::string path = cat(testing::TempDir(), "/workbook-", getpid(), ".xlsx");
  std::filesystem::remove(path);
  zip_t* archive = zip_open(path.c_str(), ZIP_CREATE, nullptr);
  for (const auto& [name, text] : parts)
    zip_file_add(archive, name.c_str(), zip_source_buffer(archive, text.data(), text.size(), 0), 0);
  zip_close(archive);
  return path;
}

std::string rows_of(const std::string& path, const SheetChoice& choice = {}) {
  auto sheet = Sheet::open(path, choice);
  if (!sheet.ok()) return cat("! ", message_of(sheet.status()));
  std::string out;
  char block[7];
  while (true) {
    const auto count = (*sheet)->read(block, sizeof block);
    if (!count.ok()) return cat(out, "! ", message_of(count.status()));
    if (*count == 0) break;
    out.append(block, *count);
  }
  if ((*sheet)->error_cells() > 0) out += cat("errors: ", (*sheet)->error_cells());
  return out;
}

TEST(Sheet, ReadsTheRowsAsText) {
  struct Case {
    const char* name;
    const char* given;
    const char* want;
  };
  const Case cases[] = {
      {"shared texts", R"(<row r="1"><c r="A1" t="s"><v>2</v></c><c r="B1" t="s"><v>3</v></c></row>)",
       "李娜,\" a, \"\"b\"\" \"\n"},
      {"inline and formula texts",
       R"(<row r="1"><c r="A1" t="inlineStr"><is><t>甲</t></is></c><c r="B1" t="str"><f>A1</f><v>乙</v></c></row>)",
       "甲,乙\n"},
      {"dates by style",
       R"(<row r="1"><c r="A1" s="1"><v>46327.416666666664</v></c><c r="B1" s="2"><v>46327</v></c><c r="C1" s="3"><v>1299</v></c></row>)",
       "2026-11-01 10:00:00,2026-11-01,1299\n"},
      {"truth, and errors",
       R"(<row r="1"><c r="A1" t="b"><v>1</v></c><c r="B1" t="e"><v>#N/A</v></c><c r="C1" t="b"><v>0</v></c></row>)",
       "true,,false\nerrors: 1"},
      {"gaps of cells and rows",
       R"(<row r="1"><c r="A1"><v>1</v></c></row><row r="4"><c r="C4"><v>2</v></c></row>)", "1\n\n\n,,2\n"},
      {"rows are as wide as the header",
       R"(<row r="1"><c r="A1"><v>1</v></c><c r="C1"><v>3</v></c></row><row r="2"><c r="A2"><v>4</v></c></row><row r="3"><c r="B3" s="1"/></row>)",
       "1,,3\n4,,\n\n"},
      {"cells without places", R"(<row><c><v>1</v></c><c><v>2</v></c></row><row><c><v>3</v></c></row>)",
       "1,2\n3,\n"},
      {"lines in a cell", R"(<row r="1"><c r="A1" t="inlineStr"><is><t>a_x000D_&#10;b</t></is></c></row>)",
       "\"a\r\nb\"\n"},
      {"a text that is not there", R"(<row r="1"><c r="A1" t="s"><v>99</v></c><c r="B1"><v>1</v></c></row>)",
       ",1\n"},
      {"far away", R"(<row r="1"><c r="XFE1"><v>1</v></c><c r="ZZZZ1"><v>2</v></c></row>)", "\n"},
      {"rows in disorder", R"(<row r="2"><c r="A2"><v>1</v></c></row><row r="1"/>)",
       "! row 1 of the sheet stands behind row 2: save the workbook again"},
      {"nothing", "", ""},
  };
  for (const Case& c : cases) EXPECT_EQ(rows_of(written(workbook_of(c.given))), c.want) << c.name;
}

TEST(Sheet, IsChosenByName) {
  const std::string path = written(workbook_of(R"(<row r="1"><c r="A1"><v>1</v></c></row>)"));
  EXPECT_TRUE(is_workbook(path));
  EXPECT_EQ(rows_of(path), "1\n");
  EXPECT_EQ(rows_of(path, {.name = "销售"}), "7\n");
  EXPECT_EQ(rows_of(path, {.name = "Hidden"}), "");
  EXPECT_EQ(rows_of(path, {.name = "orders"}),
            "! the workbook has no sheet \"orders\"; it has \"Hidden\", \"Orders\", \"销售\"");
  EXPECT_EQ(rows_of(path, {.width = 3}), "1,,\n");
}

TEST(Sheet, CountsFrom1904WhereTheWorkbookDoes) {
  const PartTexts parts = workbook_of(
      R"(<row r="1"><c r="A1" s="2"><v>44865</v></c></row>)",
      {{"xl/workbook.xml",
        R"(<workbook><workbookPr date1904="1"/><sheets><sheet name="S" id="rId1"/></sheets></workbook>)"}});
  EXPECT_EQ(rows_of(written(parts)), "2026-11-01\n");
}

TEST(Sheet, RefusesWhatIsBuiltToHarm) {
  const char* const bomb = R"(<!DOCTYPE a [<!ENTITY b "bb">]><sst><si><t>&b;</t></si></sst>)";
  EXPECT_NE(rows_of(written(workbook_of("", {{"xl/sharedStrings.xml", bomb}}))).find("document type"),
            std::string::npos);
  EXPECT_NE(rows_of(written(workbook_of("<row r=\"1\"><c>"))).find("damaged"), std::string::npos);
  EXPECT_NE(
      rows_of(written(workbook_of("", {{"xl/styles.xml", std::string(40u << 20, ' ')}}))).find("more than"),
      std::string::npos);
  EXPECT_NE(rows_of(written(workbook_of(R"(<row r="99999999"/>)"))).find("row 99999999"), std::string::npos);
}

std::string repeated(std::string_view text, size_t times) {
  std::string out;
  out.reserve(text.size() * times);
  for (size_t i = 0; i < times; ++i) out += text;
  return out;
}

TEST(Sheet, BoundsWhatXmlMayTake) {
  std::string names;
  for (int i = 0; i < 200'000; ++i) names += cat("<", std::string(400, 'n'), i, "/>");
  struct Case {
    const char* name;
    std::string sheet;
    std::string texts;
    const char* want;
  };
  const Case cases[] = {
      {"deep elements", repeated("<a>", 1'000'000), "",
       "! sheet \"Orders\" of the workbook nests elements deeper than 64, which no workbook does: save the "
       "workbook again"},
      {"deep elements of texts", "", cat("<sst>", repeated("<a>", 64)),
       "! xl/sharedStrings.xml in the workbook nests elements deeper than 64, which no workbook does: save "
       "the "
       "workbook again"},
      {"not that deep", cat(repeated("<a>", 62), repeated("</a>", 62)), "", ""},
      {"a long tag", cat("<a b=\"", std::string(80u << 20, 'x')), "",
       "! sheet \"Orders\" of the workbook has tags that no workbook has, of too many names or too long: "
       "save the "
       "workbook again"},
      {"many names", names, "",
       "! sheet \"Orders\" of the workbook has tags that no workbook has, of too many names or too long: "
       "save the "
       "workbook again"},
  };
  for (const Case& c : cases) {
    PartTexts more;
    if (!c.texts.empty()) more["xl/sharedStrings.xml"] = c.texts;
    EXPECT_EQ(rows_of(written(workbook_of(c.sheet, std::move(more)))), c.want) << c.name;
  }
}

TEST(SharedTexts, AreCountedAsTheyCome) {
  struct Case {
    const char* name;
    std::string given;
    const char* want;
  };
  const char* const full = "the workbook has more than 1 MiB of texts: save the sheet as CSV";
  const Case cases[] = {
      {"one that does not end", cat("<sst><si><t>", std::string(3u << 20, 'x')), full},
      {"in pieces", cat("<sst><si>", repeated("<r><t>0123456789</t></r>", 110'000), "</si></sst>"), full},
      {"many of nothing", cat("<sst>", repeated("<si/>", 140'000)), full},
      {"what fits", cat("<sst><si><t>", std::string(1'000'000, 'x'), "</t></si></sst>"), ""},
  };
  for (const Case& c : cases) {
    const auto archive = Archive::open(written({{"xl/sharedStrings.xml", c.given}}));
    ASSERT_TRUE(archive.ok());
    SharedTexts texts;
    EXPECT_EQ(message_of(texts.read(**archive, 1u << 20)), c.want) << c.name;
  }
}

// What is longer than a row may be is kept as far as to be refused as such.
TEST(Sheet, KeepsTheBeginningOfALongText) {
  const std::string cell = R"(<row r="1"><c r="A1" t="s"><v>0</v></c></row>)";
  const std::string text = cat("<sst><si><t>", std::string(5u << 20, 'x'), "</t></si></sst>");
  const std::string rows = rows_of(written(workbook_of(cell, {{"xl/sharedStrings.xml", text}})));
  EXPECT_GT(rows.size(), 2u << 20);
  EXPECT_LT(rows.size(), 3u << 20);
}

TEST(Sheet, KnowsWhatIsNoWorkbook) {
  EXPECT_FALSE(is_workbook(written({{"orders.csv", "a,b\n"}})));
  EXPECT_FALSE(is_workbook("/nowhere"));
  std::filesystem::resize_file(written(workbook_of("")), 200);
  EXPECT_FALSE(is_workbook(cat(testing::TempDir(), "/workbook-", getpid(), ".xlsx")));
}

}  // namespace
}  // namespace kehu::workbook
