#pragma once

#include <duckdb.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "duck/database.h"

// What the sources of this folder share. Nobody else may include it: it shows duckdb.h.
namespace kehu::duck {

struct Connection::Handle {
  duckdb_connection connection = nullptr;
  ~Handle() { duckdb_disconnect(&connection); }
};

duckdb_logical_type logical_type(ColumnType type);

absl::Status register_scan(duckdb_connection connection, const std::string& name, std::vector<Column> columns,
                           ScanSource source);
absl::Status register_lookup(duckdb_connection connection, const std::string& name, LookupSource source);
absl::Status register_scalar(duckdb_connection connection, ScalarFunction function);

// DuckDB's message under the code that its first words mean.
absl::Status failure_of(const char* message);

}  // namespace kehu::duck
