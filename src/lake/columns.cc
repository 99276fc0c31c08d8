#include "lake/columns.h"

#include "json/writer.h"

namespace kehu::lake {
namespace {

using duck::ColumnType;

TableSchema make_events() {
  return {"events",
          {{"event", ColumnType::kText},
           {"type", ColumnType::kText},
           {"customer_id", ColumnType::kText},
           {"part", ColumnType::kText},
           {"time", ColumnType::kTimestamp},
           {"received_at", ColumnType::kTimestamp},
           {"original_time", ColumnType::kTimestamp},
           {"source", ColumnType::kText},
           {"channel", ColumnType::kText},
           {"message_id", ColumnType::kText},
           {"properties", ColumnType::kText},
           {"traits", ColumnType::kText},
           {"context", ColumnType::kText},
           {"identifiers", ColumnType::kText},
           {"sequence", ColumnType::kLong},
           {"project", ColumnType::kInteger},
           {"dt", ColumnType::kDate}},
          true,
          "part, time, sequence",
          {"properties", "traits", "context", "identifiers"}};
}

TableSchema make_identity() {
  return {"identity_log",
          {{"sequence", ColumnType::kLong},
           {"time", ColumnType::kTimestamp},
           {"part", ColumnType::kText},
           {"customer_id", ColumnType::kText}},
          false,
          "sequence",
          {}};
}

void append_field(json::Writer& writer, std::string_view name, std::string_view type) {
  writer.begin_object().field("name", name).field("type", type).field("nullable", true);
  writer.key("metadata").begin_object().end_object().end_object();
}

}  // namespace

const TableSchema& events_schema() {
  static const TableSchema schema = make_events();
  return schema;
}

const TableSchema& identity_schema() {
  static const TableSchema schema = make_identity();
  return schema;
}

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

}  // namespace kehu::lake
