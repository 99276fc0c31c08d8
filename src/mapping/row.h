#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "mapping/byte_source.h"
#include "mapping/mapping.h"
#include "model/rejection.h"

namespace kehu::mapping {

struct RowFault {
  Reason reason = Reason::kUnreadableRow;
  std::string detail;
};

// One row as read. Views are valid until the reader's next call.
struct Row {
  uint64_t line = 0;      // of its first character in the file, from 1; Parquet: number of the row
  std::string_view text;  // as it stands in the file, without the line's end
  // Set by who reads: stands for the file or stream in message ids. Rows of equal keys and lines are the same
  // row.
  std::string_view key;
  std::vector<Cell> cells;        // by ColumnId
  std::optional<RowFault> fault;  // the row cannot be read; cells mean nothing
};

// Reads rows one after the other with bounded memory. One thread.
class RowReader {
 public:
  virtual ~RowReader() = default;
  // False at the end. An error ends the file; a broken row is no error but a Row with a fault.
  virtual absl::StatusOr<bool> next(Row& row) = 0;
  // Bytes of the file read so far (see ByteSource).
  virtual uint64_t position() const = 0;
};

// Readers for the columns that the mapping uses; kNotFound names a column that the file lacks and the columns
// it has. `name` is the file's, for messages; the source gives UTF-8.
absl::StatusOr<std::unique_ptr<RowReader>> read_csv(const Mapping& mapping,
                                                    std::unique_ptr<ByteSource> source,
                                                    const std::string& name);
absl::StatusOr<std::unique_ptr<RowReader>> read_ndjson(const Mapping& mapping,
                                                       std::unique_ptr<ByteSource> source);
absl::StatusOr<std::unique_ptr<RowReader>> read_log(const Mapping& mapping,
                                                    std::unique_ptr<ByteSource> source);
absl::StatusOr<std::unique_ptr<RowReader>> read_parquet(const Mapping& mapping, const std::string& path);

// A text cell under the file's rules: blanks trimmed if asked; null when empty or one of FileSpec::nulls.
Cell text_cell(const FileSpec& file, std::string_view text);

}  // namespace kehu::mapping
