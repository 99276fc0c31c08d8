#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "duck/scan.h"

// The columns of the lake's tables: the one list from which the tail's layout, the Delta schema, the Parquet
// files and the SQL of the views are made. docs/formats/lake.md says what they hold.
namespace kehu::lake {

struct TableSchema {
  std::string name;
  std::vector<duck::Column> columns;  // of the Parquet files, in order
  bool by_month = false;              // partitioned by `month`, "2026-11"
  std::string cluster;                // ORDER BY of compacted files
  std::vector<std::string> opaque;    // columns of JSON text, whose least and greatest values help no reader
};

const TableSchema& events_schema();
const TableSchema& identity_schema();

// Positions in events_schema().columns.
enum EventColumn : size_t {
  kEventName,
  kEventType,
  kCustomerId,
  kPart,
  kTime,
  kReceivedAt,
  kOriginalTime,
  kSourceName,
  kChannelName,
  kMessageId,
  kProperties,
  kTraits,
  kContext,
  kIdentifiers,
  kSequence,
  kProject,
  kBusinessDay,
};
enum IdentityColumn : size_t { kMoveSequence, kMoveTime, kMovePart, kMoveCustomer };

// "a, b, c"
std::string column_list(const TableSchema& schema);
// The value of Delta's schemaString: Spark's JSON of a struct type, `month` included.
std::string delta_schema(const TableSchema& schema);
std::string_view delta_type(duck::ColumnType type);
std::string_view sql_type(duck::ColumnType type);

}  // namespace kehu::lake
