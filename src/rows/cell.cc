#include "rows/cell.h"

#include <algorithm>

#include "base/text.h"
#include "json/text.h"
#include "rows/row_spec.h"
#include "text/number_text.h"

namespace kehu::rows {
Cell text_cell(const FileSpec& file, std::string_view text) {
  if (file.trim) text = trimmed(text);
  if (text.empty() || std::find(file.nulls.begin(), file.nulls.end(), text) != file.nulls.end()) return {};
  return {CellKind::kText, text};
}

Cell json_cell(const FileSpec& file, const json::RawValue& value, std::string& scratch) {
  switch (value.kind) {
    case json::Kind::kNull:
      return {};
    case json::Kind::kBool:
      return {CellKind::kBool, value.raw};
    case json::Kind::kNumber:
      return {CellKind::kNumber, value.raw};
    case json::Kind::kString:
      return text_cell(file, value.as_string(scratch));
    case json::Kind::kArray:
    case json::Kind::kObject:
      break;
  }
  return {CellKind::kJson, value.raw};
}

bool is_list(const Cell& cell) {
  return cell.kind == CellKind::kList || (cell.kind == CellKind::kJson && cell.text.starts_with('['));
}

bool Elements::next(Cell& element) {
  json::Field field;
  if (!fields_.next(field)) return false;
  element = json_cell(file_, field.value, scratch_);
  return true;
}

void append_element(const Cell& cell, std::string& out) {
  if (!out.ends_with('[')) out.push_back(',');
  if (cell.kind == CellKind::kNull) {
    out.append("null");
  } else if (cell.kind == CellKind::kText) {
    json::append_literal(cell.text, out);
  } else {
    out.append(cell.text);
  }
}

std::string_view plain_text(const Cell& cell, std::string& scratch) {
  if (cell.kind != CellKind::kNumber) return cell.text;
  scratch.clear();
  return text::append_whole_number(cell.text, scratch) ? std::string_view(scratch) : cell.text;
}

Cell split_cell(const FileSpec& file, std::string_view text, std::string_view separator, std::string& out) {
  out.assign("[");
  while (true) {
    const size_t end = std::min(text.find(separator), text.size());
    const Cell piece = text_cell(file, text.substr(0, end));
    if (piece.kind != CellKind::kNull) append_element(piece, out);
    if (end == text.size()) break;
    text.remove_prefix(end + separator.size());
  }
  out.push_back(']');
  return {CellKind::kList, out};
}

}  // namespace kehu::rows
