#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "json/fields.h"

namespace kehu::rows {

struct FileSpec;

// kList is a list that the mapping made of a row: by a path with [], by `split`, or by treating each element
// of another one.
enum class CellKind : uint8_t { kNull, kText, kNumber, kBool, kJson, kList };

// A value of a row. kNumber and kBool stand in JSON's spelling; kJson is an object or array; kList is a JSON
// array in which `null` holds the place of an element that lacks the value, so that two lists of one array
// stay side by side.
struct Cell {
  CellKind kind = CellKind::kNull;
  std::string_view text;
};

// Text from a file under its rules: blanks trimmed if asked; null when empty or one of FileSpec::nulls.
Cell text_cell(const FileSpec& file, std::string_view text);

// A JSON value as a cell: a view into its text, or of a string with escapes into `scratch`.
Cell json_cell(const FileSpec& file, const json::RawValue& value, std::string& scratch);

// True for arrays, whether the row had them or the mapping made them.
bool is_list(const Cell& cell);

// The elements of a list in order; kNull for those without a value. Each is valid until the next one.
class Elements {
 public:
  Elements(const FileSpec& file, const Cell& list) : file_(file), fields_(list.text) {}
  bool next(Cell& element);

 private:
  const FileSpec& file_;
  json::FieldReader fields_;
  std::string scratch_;
};

// Appends a cell to a JSON array that is begun in `out`.
void append_element(const Cell& cell, std::string& out);

// A cell as the text that people know the value by: of a number that is whole the plain digits, however the
// file spelt it (2001.0 is 2001), else the text itself. A view, or into `scratch`.
std::string_view plain_text(const Cell& cell, std::string& scratch);

// "12 7 9" → ["12","7","9"] in `out`; pieces that are no value are left out.
Cell split_cell(const FileSpec& file, std::string_view text, std::string_view separator, std::string& out);

}  // namespace kehu::rows
