#include "delta/schema.h"

#include "json/writer.h"

namespace kehu::delta {
namespace {

using duck::ColumnType;

void append_field(json::Writer& writer, std::string_view name, std::string_view type) {
  writer.begin_object().field("name", name).field("type", type).field("nullable", true);
  writer.key("metadata").begin_object().end_object().end_object();
}

}  // namespace

std::string column_list(const TableSchema& schema) {
  std::string out;
  for (const duck::Column& column : schema.columns) {
    if (!out.empty()) out += ", ";
    out += column.name;
  }
  return out;
}

std::string_view delta_type(ColumnType type) {
  switch (type) {
    case ColumnType::kText:
      return "string";
    case ColumnType::kTimestamp:
      return "timestamp";
    case ColumnType::kLong:
      return "long";
    case ColumnType::kInteger:
      return "integer";
    case ColumnType::kDate:
      return "date";
    case ColumnType::kBoolean:
      return "boolean";
  }
  return "";
}

std::string_view sql_type(ColumnType type) {
  switch (type) {
    case ColumnType::kText:
      return "VARCHAR";
    case ColumnType::kTimestamp:
      return "TIMESTAMPTZ";
    case ColumnType::kLong:
      return "BIGINT";
    case ColumnType::kInteger:
      return "INTEGER";
    case ColumnType::kDate:
      return "DATE";
    case ColumnType::kBoolean:
      return "BOOLEAN";
  }
  return "";
}

std::string delta_schema(const TableSchema& schema) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("type", "struct").key("fields").begin_array();
  for (const duck::Column& column : schema.columns)
    append_field(writer, column.name, delta_type(column.type));
  if (schema.by_month) append_field(writer, "month", "string");
  writer.end_array().end_object();
  return out;
}

}  // namespace kehu::delta
