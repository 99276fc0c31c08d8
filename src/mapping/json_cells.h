#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "json/fields.h"
#include "json/index.h"
#include "mapping/row.h"

namespace kehu::mapping {

// The cells of rows that are JSON objects: each column of the mapping is a path into them.
class JsonCells {
 public:
  // The mapping must outlive it.
  static absl::StatusOr<JsonCells> make(const Mapping& mapping);

  // Fills row.cells from row.text; views into the text, or into this object until the next call.
  std::optional<RowFault> read(Row& row);

 private:
  explicit JsonCells(const Mapping& mapping) : mapping_(&mapping) {}
  Cell cell(const json::RawValue& value, std::string& scratch) const;

  const Mapping* mapping_;
  json::Index index_;
  std::vector<json::FieldPath> paths_;
  std::vector<std::string> texts_;
};

}  // namespace kehu::mapping
