#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "json/index.h"
#include "model/rejection.h"
#include "rows/byte_source.h"
#include "rows/cell.h"
#include "rows/row_spec.h"

namespace kehu::rows {

struct RowFault {
  Reason reason = Reason::kUnreadableRow;
  std::string detail;
};

// One row as read. Views are valid until the reader's next call.
struct Row {
  uint64_t line = 0;      // of its first character in the file, from 1; Parquet: number of the row
  uint64_t number = 0;    // of the row, from 1: set by who reads; of a message its place in the stream
  std::string_view text;  // as it stands in the file, without the line's end
  // Set by who reads: stands for the file or stream in message ids. Rows of equal keys and lines are the same
  // row.
  std::string_view key;
  // The key of the same file under earlier versions, where it was another one; empty: `key`.
  std::string_view former_key;
  std::vector<Cell> cells;                         // by ColumnId
  std::optional<RowFault> fault;                   // the row cannot be read; cells mean nothing
  bool open = false;                               // its line has no end: perhaps more of it is being written
  const json::Index* json = nullptr;               // of the text, when it is JSON
  absl::Span<const std::string_view> values = {};  // all of them, when the text is CSV
};

// Reads rows one after the other with bounded memory. One thread.
class RowReader {
 public:
  virtual ~RowReader() = default;
  // False at the end. An error ends the file; a broken row is no error but a Row with a fault.
  virtual absl::StatusOr<bool> next(Row& row) = 0;
  // The columns of the file, where they are known: of JSON rows the members of the first one, once it was
  // read.
  virtual std::vector<std::string> columns() const { return {}; }
  // Bytes of the file read so far (see ByteSource).
  virtual uint64_t position() const = 0;
  // See ByteSource::note.
  virtual std::string note() const { return {}; }
};

// Readers for the columns that the mapping uses; kNotFound names a column that the file lacks and the columns
// it has. `name` is the file's, for messages; the source gives UTF-8.
absl::StatusOr<std::unique_ptr<RowReader>> read_csv(const RowSpec& spec, std::unique_ptr<ByteSource> source,
                                                    const std::string& name);
// The delimiter that a first line such as `sep=;` declares, which programs write for Excel.
std::optional<char> declared_delimiter(std::string_view line);
absl::StatusOr<std::unique_ptr<RowReader>> read_ndjson(const RowSpec& spec,
                                                       std::unique_ptr<ByteSource> source);
// JSON that is not one object to a line; see is_json_document. A row's line is the number of its element.
// When it ends within an element or array, next() gives kDataLoss behind the last whole one.
absl::StatusOr<std::unique_ptr<RowReader>> read_json_documents(const RowSpec& spec,
                                                               std::unique_ptr<ByteSource> source,
                                                               const std::string& name);
absl::StatusOr<std::unique_ptr<RowReader>> read_log(const RowSpec& spec, std::unique_ptr<ByteSource> source);
// One sheet of a workbook, read as the CSV that it would be saved as; see workbook/sheet.h.
absl::StatusOr<std::unique_ptr<RowReader>> read_workbook(const RowSpec& spec, const std::string& path);
absl::StatusOr<std::unique_ptr<RowReader>> read_parquet(const RowSpec& spec, const std::string& path);

// What columns a Parquet file has, in order.
absl::StatusOr<std::vector<std::string>> parquet_columns(const std::string& path);

// A text cell under the file's rules: blanks trimmed if asked; null when empty or one of FileSpec::nulls.
Cell text_cell(const FileSpec& file, std::string_view text);

}  // namespace kehu::rows
