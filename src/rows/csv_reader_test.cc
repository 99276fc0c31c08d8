#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/text.h"
#include "rows/row.h"
#include "rows/window.h"

namespace kehu::rows {
namespace {

// "line: a|b" per row, "line! detail" for broken ones; ~ is null.
std::string rows_of(const RowSpec& spec, const std::string& text, size_t step) {
  auto reader = read_csv(spec, bytes_of(text, step), "t.csv");
  if (!reader.ok()) return message_of(reader.status());
  std::string out;
  Row row;
  while (true) {
    const auto any = (*reader)->next(row);
    if (!any.ok()) return out + message_of(any.status());
    if (!*any) return out;
    out.append(cat(row.line));
    if (row.fault) {
      out.append(cat("! ", row.fault->detail, "\n"));
      continue;
    }
    for (size_t i = 0; i < row.cells.size(); ++i) {
      out.append(i == 0 ? ": " : "|").append(row.cells[i].kind == CellKind::kNull ? "~" : row.cells[i].text);
    }
    out.append("\n");
  }
}

RowSpec with_columns(FileSpec file, std::vector<std::string> columns) {
  RowSpec spec;
  spec.file = std::move(file);
  spec.columns = std::move(columns);
  return spec;
}

struct CsvCase {
  const char* name;
  const char* given;
  const char* want;
};

void check(const FileSpec& file, const std::vector<CsvCase>& cases) {
  const RowSpec spec = with_columns(file, {"a", "b"});
  for (const auto& c : cases) {
    for (const size_t step : {1u, 2u, 3u, 7u, 1000u}) {
      EXPECT_EQ(rows_of(spec, c.given, step), c.want) << c.name << ", " << step << " bytes at a time";
    }
  }
}

TEST(CsvReader, AFirstLineMayDeclareTheDelimiter) {
  check({}, {
                {"semicolon", "sep=;\na;b\n1;2\n", "3: 1|2\n"},
                {"with CRLF", "sep=;\r\na;b\r\n1;2\r\n", "3: 1|2\n"},
                {"quoted", "\"sep=;\"\r\na;b\n1;2", "3: 1|2\n"},
                {"a tab", "sep=\t\na\tb\n1\t2\n", "3: 1|2\n"},
                {"the mapping's own", "sep=,\na,b\n1,2\n", "3: 1|2\n"},
            });
  FileSpec names;
  names.header = false;
  names.names = {"a", "b"};
  check(names, {{"no declaration", "sep=;x,2\n", "1: sep=;x|2\n"},
                {"alone", "sep=;", "1! 2 columns expected, 1 found\n"}});
  FileSpec skipped;
  skipped.skip_lines = 1;
  check(skipped, {{"that is skipped", "sep=,\na,b\n1,2\n", "3: 1|2\n"}});
}

TEST(CsvReader, Rfc4180) {
  check({}, {
                {"plain", "a,b\n1,2\n3,4\n", "2: 1|2\n3: 3|4\n"},
                {"no line end at the end", "a,b\n1,2", "2: 1|2\n"},
                {"CRLF", "a,b\r\n1,2\r\n3,4\r\n", "2: 1|2\n3: 3|4\n"},
                {"CRLF behind quotes", "a,b\r\n\"1\",\"2\"\r\n", "2: 1|2\n"},
                {"quotes", "a,b\n\"1,x\",\"say \"\"hi\"\"\"\n", "2: 1,x|say \"hi\"\n"},
                {"a line end inside quotes", "a,b\n\"1\n2\",3\n4,5\n", "2: 1\n2|3\n4: 4|5\n"},
                {"empty values", "a,b\n,\n\"\",\"\"\n", "2: ~|~\n3: ~|~\n"},
                {"empty lines do not count as rows", "a,b\n\n1,2\n\r\n\n3,4\n", "3: 1|2\n6: 3|4\n"},
                {"other order and more columns", "x,b,a\n9,2,1\n", "2: 1|2\n"},
                {"a quote inside an unquoted value", "a,b\n1\"2,3\n", "2: 1\"2|3\n"},
                {"only a header", "a,b\n", ""},
                {"Chinese", "a,b\n上海,连衣裙\n", "2: 上海|连衣裙\n"},
                {"two doubled quotes in one row", "a,b\n\"\"\"x\",\"y\"\"\"\n", "2: \"x|y\"\n"},
                {"one value only", "a,b\n\"\"\"\"\"\",1\n", "2: \"\"|1\n"},
            });
}

TEST(CsvReader, BrokenRowsAreRowsAndTheNextOneIsRead) {
  check({}, {
                {"too few", "a,b\n1\n3,4\n", "2! 2 columns expected, 1 found\n3: 3|4\n"},
                {"too many", "a,b\n1,2,3\n3,4\n", "2! 2 columns expected, 3 found\n3: 3|4\n"},
                {"text behind a quote", "a,b\n\"1\"x,2\n3,4\n",
                 "2! a closing quote is followed by text\n3: 3|4\n"},
                {"an open quote", "a,b\n\"1,2\n3,4\n",
                 "2! a quote is never closed, or the row is longer than 1 MiB\n3: 3|4\n"},
                {"not UTF-8", "a,b\n\xff,2\n3,4\n", "2! the row has bytes that are not UTF-8\n3: 3|4\n"},
            });
}

TEST(CsvReader, OtherShapes) {
  check({.delimiter = ';'}, {{"semicolon", "a;b\n1,5;2\n", "2: 1,5|2\n"}});
  check({.delimiter = '\t', .quote = std::nullopt},
        {{"tabs without quotes", "a\tb\n\"1\t2\"\n", "2: \"1|2\"\n"}});
  check({.header = false, .names = {"b", "a"}}, {{"no header", "1,2\n", "1: 2|1\n"}});
  check({.trim_header = true, .trim = true}, {{"blanks", "a , b\n 1 ,2 \n", "2: 1|2\n"}});
  check({.header = false, .names = {"a", "b", "c"}, .skip_lines = 1},
        {{"names instead of the header's", "a,b,a\n1,2,3\n", "2: 1|2\n"}});
  check({}, {{"two columns that nobody asks for", "x,a,b,x\n7,1,2,8\n", "2: 1|2\n"}});
  check({.until = "---"}, {{"what stands below", "a,b\n1,2\n--,3\n-----\n\"x\n1,2,3\n", "2: 1|2\n3: --|3\n"},
                           {"nothing below", "a,b\n1,2\n--", "2: 1|2\n3! 2 columns expected, 1 found\n"}});
  check({.skip_lines = 2}, {{"a preamble", "Report\nof today, 3 pages\na,b\n1,2\n", "4: 1|2\n"}});
  check({.nulls = {"NULL", "-"}}, {{"nulls", "a,b\nNULL,-\nnull,--\n", "2: ~|~\n3: null|--\n"}});
}

TEST(CsvReader, MissingColumnsAreNamedWithWhatIsThere) {
  const struct {
    const char* header;
    const char* column;
    const char* want;
  } cases[] = {
      {"CustomerID,Country\n", "CustomerId",
       "t.csv has no column \"CustomerId\"; it has \"CustomerID\" and \"Country\"; did you mean "
       "\"CustomerID\"?"},
      {"id,address \n", "address",
       "t.csv has no column \"address\"; it has \"id\" and \"address \"; its header has blanks, set "
       "trim_header = true"},
      {"", "a", "t.csv: there is no header line"},
      {"a,b,a\n", "a",
       "t.csv has two columns \"a\", and the mapping does not say which: rename one, or write header = "
       "false, "
       "skip_lines = 1 and columns = […] with names of your own into [file]"},
  };
  for (const auto& c : cases) EXPECT_EQ(rows_of(with_columns({}, {c.column}), c.header, 100), c.want);
}

TEST(CsvReader, AQuoteThatIsNeverClosedCostsOneLineAndBoundedMemory) {
  std::string text = "a,b\n\"1,2\n";
  while (text.size() < 3 * Window::kLongestRow) text.append("some value,another value\n");
  text.append("3,4\n");
  const std::string got = rows_of(with_columns({}, {"a", "b"}), text, 100'000);
  EXPECT_TRUE(got.starts_with("2! a quote is never closed")) << got.substr(0, 100);
  EXPECT_TRUE(got.ends_with(": 3|4\n"));
  EXPECT_EQ(std::count(got.begin(), got.end(), '!'), 1);
}

// A table of random texts, written with and without quotes as RFC 4180 allows, reads back as it was.
TEST(CsvReader, RandomTablesSurvive) {
  static constexpr std::string_view kPieces[] = {"a",  "\"", ",",    "\n",  "\r\n", " ",
                                                 "中", ";",  "\"\"", "1.5", ""};
  for (uint32_t seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    std::string text = "a,b\n";
    std::string want;
    uint64_t line = 2;
    for (size_t row = random() % 8 + 1; row > 0; --row) {
      std::string values[2];
      for (std::string& value : values) {
        for (size_t i = random() % 6; i > 0; --i) value.append(kPieces[random() % std::size(kPieces)]);
      }
      for (const std::string& value : values) {
        const bool plain = value.find_first_of("\",\r\n") == std::string::npos && random() % 2 == 0;
        std::string escaped = value;
        for (size_t at = 0; (at = escaped.find('"', at)) != std::string::npos; at += 2)
          escaped.insert(at, 1, '"');
        text.append(plain ? value : "\"" + escaped + "\"").append(&value == values ? "," : "\n");
      }
      const auto shown = [](const std::string& value) { return value.empty() ? std::string("~") : value; };
      want.append(cat(line, ": ", shown(values[0]), "|", shown(values[1]), "\n"));
      for (const std::string& value : values) line += std::count(value.begin(), value.end(), '\n');
      ++line;
    }
    EXPECT_EQ(rows_of(with_columns({}, {"a", "b"}), text, 1 + random() % 9), want) << "seed " << seed << "\n"
                                                                                   << text;
  }
}

}  // namespace
}  // namespace kehu::rows
