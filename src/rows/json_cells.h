#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "json/index.h"
#include "rows/json_path.h"
#include "rows/row.h"

namespace kehu::rows {

// The cells of rows that are JSON objects: each column of the mapping is a path into them.
class JsonCells {
 public:
  // The mapping must outlive it.
  static absl::StatusOr<JsonCells> make(const RowSpec& spec);

  // Fills row.cells from row.text; views into the text, or into this object until the next call.
  std::optional<RowFault> read(Row& row);

 private:
  explicit JsonCells(const RowSpec& spec) : spec_(&spec) {}

  const RowSpec* spec_;
  json::Index index_;
  std::vector<JsonPath> paths_;
  std::vector<std::string> texts_;
};

}  // namespace kehu::rows
