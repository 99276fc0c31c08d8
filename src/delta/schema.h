#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "duck/scan.h"

namespace kehu::delta {

// What a table of Kehu holds: from it the tail's layout, the Delta schema, the Parquet files and the SQL of
// the views are made.
struct TableSchema {
  std::string name;
  std::vector<duck::Column> columns;  // of the Parquet files, in order
  bool by_month = false;              // partitioned by `month`, "2026-11"
  std::string cluster;                // ORDER BY of compacted files
  std::vector<std::string> opaque;    // columns whose least and greatest values help no reader
};

// "a, b, c"
std::string column_list(const TableSchema& schema);
// The value of Delta's schemaString: Spark's JSON of a struct type, `month` included.
std::string delta_schema(const TableSchema& schema);
std::string_view delta_type(duck::ColumnType type);
std::string_view sql_type(duck::ColumnType type);

}  // namespace kehu::delta
