#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "mapping/mapping.h"

// A mapping that is proposed from the first rows of a file: `kehu map`.
namespace kehu::proposal {

// A column and the values of the first rows; empty texts where there is none.
struct Column {
  std::string name;
  std::vector<std::string> values;
  bool nested = false;     // objects or lists, as JSON
  size_t digits_lost = 0;  // of numbers that a spreadsheet rounded (mapping::has_lost_digits)
  std::string lost = {};   // one of them
};

// How a file is read, and what stands in its first rows.
struct Sample {
  static constexpr size_t kRowsMax = 20'000;

  rows::FileSpec file;
  std::string pattern;  // of log lines, as text
  std::vector<Column> columns;
  size_t rows = 0;
};

// kInvalidArgument when nothing can be said: the file is empty, or of a kind that is not read.
absl::StatusOr<Sample> take_sample(const std::string& path);

// How lines of text become columns: the delimiter that most of them agree on, whether the first one names
// the columns, and how they are called.
struct TableShape {
  char delimiter = ',';
  char quote = '"';
  bool header = true;
  bool trim = false;       // blanks stand beside delimiters
  size_t title_lines = 0;  // above the header: what a report says of itself
  std::vector<std::string> names;
  bool names_given = false;  // by the mapping: the file has no header, or one that names two columns alike
  bool fits = false;         // a delimiter was found, or there is one column
};
TableShape shape_of(std::string_view text);

}  // namespace kehu::proposal
