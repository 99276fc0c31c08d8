#include "lake/tables.h"

namespace kehu::lake {
namespace {

using duck::ColumnType;

TableEntry make_events() {
  return {.schema = {"events",
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
                     {"properties", "traits", "context", "identifiers"}},
          .key = "sequence"};
}

// The rows that put lost moves back may be of the position of moves that were not lost.
TableEntry make_identity_log() {
  return {.schema = {"identity_log",
                     {{"sequence", ColumnType::kLong},
                      {"time", ColumnType::kTimestamp},
                      {"part", ColumnType::kText},
                      {"customer_id", ColumnType::kText}},
                     false,
                     "sequence",
                     {}},
          .key = ""};
}

TableEntry make_definitions() {
  return {.schema = {"definitions",
                     {{"kind", ColumnType::kText},
                      {"name", ColumnType::kText},
                      {"version", ColumnType::kLong},
                      {"time", ColumnType::kTimestamp},
                      {"actor", ColumnType::kText},
                      {"deleted", ColumnType::kBoolean},
                      {"body", ColumnType::kText}},
                     false,
                     "version, kind, name",
                     {"deleted", "body"}},
          .key = "kind, name, version"};
}

// Clustered by rule, because that is how it is asked.
TableEntry make_segment_log() {
  return {.schema = {"segment_log",
                     {{"sequence", ColumnType::kLong},
                      {"ordinal", ColumnType::kInteger},
                      {"time", ColumnType::kTimestamp},
                      {"kind", ColumnType::kText},
                      {"name", ColumnType::kText},
                      {"version", ColumnType::kLong},
                      {"customer_id", ColumnType::kText},
                      {"change", ColumnType::kText},
                      {"value", ColumnType::kText},
                      {"live", ColumnType::kBoolean}},
                     false,
                     "kind, name, version, sequence, ordinal",
                     {"value", "live"}},
          .key = "sequence, ordinal"};
}

TableEntry make_check_log() {
  return {.schema = {"check_log",
                     {{"name", ColumnType::kText},
                      {"version", ColumnType::kLong},
                      {"compares", ColumnType::kText},
                      {"source", ColumnType::kText},
                      {"time", ColumnType::kTimestamp},
                      {"compared", ColumnType::kLong},
                      {"agreed", ColumnType::kLong},
                      {"at_least", ColumnType::kText},
                      {"quarantined", ColumnType::kBoolean}},
                     false,
                     "name, version, time",
                     {"quarantined"}},
          .key = "name, version, time"};
}

TableEntry make_table(TableId id) {
  switch (id) {
    case TableId::kIdentityLog:
      return make_identity_log();
    case TableId::kDefinitions:
      return make_definitions();
    case TableId::kSegmentLog:
      return make_segment_log();
    case TableId::kCheckLog:
      return make_check_log();
    case TableId::kEvents:
      return make_events();
  }
  return {};
}

PerTable<TableEntry> make_tables() {
  PerTable<TableEntry> tables;
  for (const TableId id : kAllTables) tables[id] = make_table(id);
  return tables;
}

}  // namespace

const TableEntry& table_of(TableId id) {
  static const PerTable<TableEntry> tables = make_tables();
  return tables[id];
}

const delta::TableSchema& schema_of(TableId id) { return table_of(id).schema; }

}  // namespace kehu::lake
