#include <algorithm>
#include <atomic>
#include <cstring>

#include "base/text.h"
#include "duck/bridge.h"

// A scan hands out one chunk per call to any number of threads; a lookup fills one vector per call. DuckDB
// calls them from C, so nothing may be thrown out of here.
namespace kehu::duck {
namespace {

struct ScanFunction {
  std::vector<Column> columns;
  ScanSource source;
};

struct ScanBinding {
  const ScanFunction* function = nullptr;
  std::vector<ChunkPart> parts;
};

struct ScanProgress {
  std::vector<size_t> columns;
  std::atomic<size_t> next{0};
};

template <class T>
void destroy(void* object) {
  delete static_cast<T*>(object);
}

void bind_scan(duckdb_bind_info info) {
  const auto* function = static_cast<const ScanFunction*>(duckdb_bind_get_extra_info(info));
  duckdb_value id = duckdb_bind_get_parameter(info, 0);
  auto parts = function->source(duckdb_get_int64(id));
  duckdb_destroy_value(&id);
  if (!parts.ok()) return duckdb_bind_set_error(info, message_of(parts.status()).c_str());
  idx_t rows = 0;
  for (const ChunkPart& part : *parts) rows += part.rows;
  for (const Column& column : function->columns) {
    duckdb_logical_type type = logical_type(column.type);
    duckdb_bind_add_result_column(info, column.name.c_str(), type);
    duckdb_destroy_logical_type(&type);
  }
  duckdb_bind_set_cardinality(info, rows, true);
  duckdb_bind_set_bind_data(info, new ScanBinding{function, *std::move(parts)}, destroy<ScanBinding>);
}

void init_scan(duckdb_init_info info) {
  const auto* binding = static_cast<const ScanBinding*>(duckdb_init_get_bind_data(info));
  auto* progress = new ScanProgress;
  for (idx_t i = 0; i < duckdb_init_get_column_count(info); ++i) {
    progress->columns.push_back(duckdb_init_get_column_index(info, i));
  }
  duckdb_init_set_max_threads(info, std::max<size_t>(1, binding->parts.size()));
  duckdb_init_set_init_data(info, progress, destroy<ScanProgress>);
}

// Threads take chunks by counting up, so there is no lock and no chunk is read twice. What is copied is the
// fixed part of each column that the statement reads; long texts stay in the chunk, which the binding holds
// as long as the statement.
void run_scan(duckdb_function_info info, duckdb_data_chunk output) {
  const auto* binding = static_cast<const ScanBinding*>(duckdb_function_get_bind_data(info));
  auto* progress = static_cast<ScanProgress*>(duckdb_function_get_init_data(info));
  const size_t at = progress->next.fetch_add(1);
  if (at >= binding->parts.size()) return duckdb_data_chunk_set_size(output, 0);
  const ChunkPart& part = binding->parts[at];
  for (size_t i = 0; i < progress->columns.size(); ++i) {
    const size_t column = progress->columns[i];
    if (column >= binding->function->columns.size()) continue;  // a row number nobody reads, for count(*)
    const size_t width = Chunk::value_bytes(binding->function->columns[column].type);
    void* to = duckdb_vector_get_data(duckdb_data_chunk_get_vector(output, i));
    std::memcpy(to, part.chunk->data(column), part.rows * width);
  }
  duckdb_data_chunk_set_size(output, part.rows);
}

std::string_view text_at(const void* data, size_t row) {
  auto* value = const_cast<duckdb_string_t*>(static_cast<const duckdb_string_t*>(data) + row);
  return {duckdb_string_t_data(value), duckdb_string_t_length(*value)};
}

// A look-up is asked for a whole vector, so whoever answers it takes a lock once and not for each row.
// Where it finds nothing the third argument stands, which for owners is the customer that is stored with
// the row. Nulls are handled here: DuckDB would otherwise give null for every row with a null in it,
// without asking.
void run_lookup(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  const auto* source = static_cast<const LookupSource*>(duckdb_scalar_function_get_extra_info(info));
  const size_t rows = duckdb_data_chunk_get_size(input);
  if (rows == 0) return;
  const void* data[3];
  uint64_t* valid[3];
  for (idx_t i = 0; i < 3; ++i) {
    duckdb_vector vector = duckdb_data_chunk_get_vector(input, i);
    data[i] = duckdb_vector_get_data(vector);
    valid[i] = duckdb_vector_get_validity(vector);
  }
  const auto lookup = (*source)(static_cast<const int64_t*>(data[0])[0]);
  if (!lookup.ok()) return duckdb_scalar_function_set_error(info, message_of(lookup.status()).c_str());
  const auto present = [&](size_t column, size_t row) {
    return valid[column] == nullptr || duckdb_validity_row_is_valid(valid[column], row);
  };
  std::vector<std::string_view> keys(rows);
  std::vector<std::string_view> found(rows);
  for (size_t row = 0; row < rows; ++row) {
    if (present(1, row)) keys[row] = text_at(data[1], row);
  }
  std::string scratch;
  (*lookup)->find(absl::MakeSpan(keys), absl::MakeSpan(found), scratch);
  for (size_t row = 0; row < rows; ++row) {
    if (found[row].empty()) {
      if (!present(2, row)) {
        duckdb_vector_ensure_validity_writable(output);
        duckdb_validity_set_row_invalid(duckdb_vector_get_validity(output), row);
        continue;
      }
      found[row] = text_at(data[2], row);
    }
    duckdb_vector_assign_string_element_len(output, row, found[row].data(), found[row].size());
  }
}

}  // namespace

duckdb_logical_type logical_type(ColumnType type) {
  switch (type) {
    case ColumnType::kText:
      return duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
    case ColumnType::kTimestamp:
      return duckdb_create_logical_type(DUCKDB_TYPE_TIMESTAMP_TZ);
    case ColumnType::kLong:
      return duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
    case ColumnType::kInteger:
      return duckdb_create_logical_type(DUCKDB_TYPE_INTEGER);
    case ColumnType::kDate:
      return duckdb_create_logical_type(DUCKDB_TYPE_DATE);
    case ColumnType::kBoolean:
      return duckdb_create_logical_type(DUCKDB_TYPE_BOOLEAN);
  }
  return nullptr;
}

absl::Status register_scan(duckdb_connection connection, const std::string& name, std::vector<Column> columns,
                           ScanSource source) {
  duckdb_table_function function = duckdb_create_table_function();
  duckdb_logical_type id = duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
  duckdb_table_function_set_name(function, name.c_str());
  duckdb_table_function_add_parameter(function, id);
  duckdb_table_function_set_extra_info(function, new ScanFunction{std::move(columns), std::move(source)},
                                       destroy<ScanFunction>);
  duckdb_table_function_set_bind(function, bind_scan);
  duckdb_table_function_set_init(function, init_scan);
  duckdb_table_function_set_function(function, run_scan);
  duckdb_table_function_supports_projection_pushdown(function, true);
  const duckdb_state state = duckdb_register_table_function(connection, function);
  duckdb_destroy_logical_type(&id);
  duckdb_destroy_table_function(&function);
  if (state == DuckDBSuccess) return absl::OkStatus();
  return failure(absl::StatusCode::kInternal, "DuckDB does not take the table function ", name);
}

absl::Status register_lookup(duckdb_connection connection, const std::string& name, LookupSource source) {
  duckdb_scalar_function function = duckdb_create_scalar_function();
  duckdb_logical_type id = duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
  duckdb_logical_type text = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
  duckdb_scalar_function_set_name(function, name.c_str());
  duckdb_scalar_function_add_parameter(function, id);
  duckdb_scalar_function_add_parameter(function, text);
  duckdb_scalar_function_add_parameter(function, text);
  duckdb_scalar_function_set_return_type(function, text);
  duckdb_scalar_function_set_special_handling(function);
  duckdb_scalar_function_set_extra_info(function, new LookupSource(std::move(source)), destroy<LookupSource>);
  duckdb_scalar_function_set_function(function, run_lookup);
  const duckdb_state state = duckdb_register_scalar_function(connection, function);
  duckdb_destroy_logical_type(&text);
  duckdb_destroy_logical_type(&id);
  duckdb_destroy_scalar_function(&function);
  if (state == DuckDBSuccess) return absl::OkStatus();
  return failure(absl::StatusCode::kInternal, "DuckDB does not take the function ", name);
}

}  // namespace kehu::duck
