#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "query/output.h"

namespace kehu::query {

// Columns under each other for people. The widths are those of the first 500 rows; a wider cell is cut with
// an ellipsis. Chinese characters count as two columns.
class TableOutput : public Output {
 public:
  explicit TableOutput(std::vector<duck::ResultColumn> columns);

  void begin(std::string&) override {}
  void row(const duck::Batch& batch, size_t row, std::string& out) override;
  void end(std::string& out) override;

 private:
  void write_head(std::string& out);
  void write_row(const std::vector<std::string>& cells, std::string& out);

  std::vector<duck::ResultColumn> columns_;
  std::vector<size_t> widths_;
  std::vector<std::vector<std::string>> waiting_;  // rows before the widths are known
  bool head_written_ = false;
  uint64_t rows_ = 0;
};

size_t display_width(std::string_view text);

// A value that is not null, as plain text.
void append_value(const duck::Batch& batch, duck::ValueKind kind, size_t column, size_t row,
                  std::string& out);

}  // namespace kehu::query
