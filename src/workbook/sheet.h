#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

// Sheets of workbooks (.xlsx) as CSV text. The only folder that knows libzip and expat.
namespace kehu::workbook {

// True when the file is a zip archive with a workbook in it.
bool is_workbook(const std::string& path);

struct SheetChoice {
  std::string name = {};    // empty: the first one that is not hidden
  uint64_t header_row = 1;  // its width is that of all rows
  size_t width = 0;         // of all rows at least
};

// The rows of one sheet, streamed, as CSV in UTF-8: commas, double quotes where they are needed, line feeds.
// A line of text is a row of the sheet, empty ones included, so that line numbers are row numbers as long as
// no cell has lines of its own.
//
// Numbers stand with at most 15 digits, dates and times (known by how the workbook shows them) in ISO's form,
// truth as true and false; a cell with an error is empty, and counted. Formulas give the value that was saved
// with them. Memory: the texts that cells share (at most 512 MiB), and a row.
class Sheet {
 public:
  // kInvalidArgument: the file is no workbook that can be read, or has no such sheet; the text says which.
  static absl::StatusOr<std::unique_ptr<Sheet>> open(const std::string& path, const SheetChoice& choice);
  virtual ~Sheet() = default;

  // Up to `size` bytes of the text; 0 at the end.
  virtual absl::StatusOr<size_t> read(char* to, size_t size) = 0;
  // The share of the sheet that was read, 0 to 1.
  virtual double progress() const = 0;
  // Cells that hold an error (#N/A, #VALUE! …) so far.
  virtual uint64_t error_cells() const = 0;
};

}  // namespace kehu::workbook
