#include "rows/json_cells.h"

namespace kehu::rows {

absl::StatusOr<JsonCells> JsonCells::make(const RowSpec& spec) {
  JsonCells cells(spec);
  cells.texts_.resize(spec.columns.size());
  for (const std::string& column : spec.columns) {
    auto path = JsonPath::parse(column);
    if (!path.ok()) return path.status();
    cells.paths_.push_back(*std::move(path));
  }
  return cells;
}

std::optional<RowFault> JsonCells::read(Row& row) {
  row.json = nullptr;
  if (const auto error = index_.scan(row.text)) return RowFault{Reason::kInvalidJson, error->to_string()};
  if (index_[0].kind != json::Kind::kObject)
    return RowFault{Reason::kNotAnObject, "a JSON object is expected"};
  row.json = &index_;
  const json::RawValue object{json::Kind::kObject, row.text};
  row.cells.assign(paths_.size(), {});
  for (size_t i = 0; i < paths_.size(); ++i) row.cells[i] = paths_[i].cell(spec_->file, object, texts_[i]);
  return std::nullopt;
}

}  // namespace kehu::rows
