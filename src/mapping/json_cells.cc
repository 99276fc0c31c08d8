#include "mapping/json_cells.h"

namespace kehu::mapping {

absl::StatusOr<JsonCells> JsonCells::make(const Mapping& mapping) {
  JsonCells cells(mapping);
  cells.texts_.resize(mapping.columns.size());
  for (const std::string& column : mapping.columns) {
    auto path = json::FieldPath::parse(column);
    if (!path.ok()) return path.status();
    cells.paths_.push_back(*std::move(path));
  }
  return cells;
}

std::optional<RowFault> JsonCells::read(Row& row) {
  if (const auto error = index_.scan(row.text)) return RowFault{Reason::kInvalidJson, error->to_string()};
  if (index_[0].kind != json::Kind::kObject)
    return RowFault{Reason::kNotAnObject, "a JSON object is expected"};
  row.cells.assign(paths_.size(), {});
  for (size_t i = 0; i < paths_.size(); ++i) {
    paths_[i].visit(row.text, [&](const json::RawValue& value) { row.cells[i] = cell(value, texts_[i]); });
  }
  return std::nullopt;
}

Cell JsonCells::cell(const json::RawValue& value, std::string& scratch) const {
  switch (value.kind) {
    case json::Kind::kNull:
      return {};
    case json::Kind::kBool:
      return {CellKind::kBool, value.raw};
    case json::Kind::kNumber:
      return {CellKind::kNumber, value.raw};
    case json::Kind::kString:
      return text_cell(mapping_->file, value.as_string(scratch));
    case json::Kind::kArray:
    case json::Kind::kObject:
      break;
  }
  return {CellKind::kJson, value.raw};
}

}  // namespace kehu::mapping
