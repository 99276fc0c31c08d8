#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "text/pattern.h"

// Files → rows. What a file is and which of its columns are wanted is said by values; what becomes of the
// rows is others' business.
namespace kehu::rows {

enum class FileFormat : uint8_t { kCsv, kNdjson, kLog, kParquet, kXlsx };

struct FileSpec {
  FileFormat format = FileFormat::kCsv;
  std::string sheet{};                     // of a workbook; empty: the first
  std::string encoding = "UTF-8";          // a name that ICU knows
  char delimiter = ',';                    // CSV
  std::optional<char> quote = '"';         // CSV
  bool header = true;                      // CSV: the first row names the columns
  std::vector<std::string> names{};        // CSV without a header: the columns in order
  bool trim_header = false;                // CSV: blanks around column names do not count
  bool trim = false;                       // blanks around values do not count
  uint64_t skip_lines = 0;                 // before the header
  std::string until{};                     // CSV: rows end before the first line that begins so
  std::vector<std::string> list{};         // JSON: the members that lead to the list of the rows
  std::vector<std::string> nulls{};        // texts that mean "no value", besides the empty one
  std::optional<text::Pattern> pattern{};  // log lines: named groups are the columns
};

// What a reader has to know: a file's form, and what is wanted of its rows.
struct RowSpec {
  std::string name;  // of what asks for them (the mapping's file), for messages
  FileSpec file;
  std::vector<std::string> columns;      // those wanted
  std::vector<std::string> identifying;  // those of them that somebody is recognised by
  bool list_members = false;  // of JSON rows: RowReader::columns() tells the members of the first one
};

}  // namespace kehu::rows
