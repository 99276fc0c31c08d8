#include "duck/scalar.h"

#include <array>

#include "base/text.h"
#include "duck/bridge.h"

// DuckDB calls from C, so nothing may be thrown out of here.
namespace kehu::duck {
namespace {

constexpr size_t kParametersMax = 8;

void destroy_function(void* object) { delete static_cast<ScalarFunction*>(object); }

void run_scalar(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  const auto* function = static_cast<const ScalarFunction*>(duckdb_scalar_function_get_extra_info(info));
  std::array<Arguments::Column, kParametersMax> columns;
  const size_t count = function->parameters.size();
  for (size_t i = 0; i < count; ++i) {
    duckdb_vector vector = duckdb_data_chunk_get_vector(input, i);
    columns[i] = {duckdb_vector_get_data(vector), duckdb_vector_get_validity(vector), nullptr};
    if (function->parameters[i] != ScalarType::kIntegers) continue;
    columns[i].items =
        static_cast<const int64_t*>(duckdb_vector_get_data(duckdb_list_vector_get_child(vector)));
  }
  const Arguments arguments({columns.data(), count}, duckdb_data_chunk_get_size(input));
  Answers answers(output);
  const absl::Status status = function->run(arguments, answers);
  if (!status.ok()) duckdb_scalar_function_set_error(info, message_of(status).c_str());
}

duckdb_logical_type type_of(ScalarType type) {
  const bool text = type == ScalarType::kText || type == ScalarType::kTexts;
  duckdb_logical_type one = duckdb_create_logical_type(text ? DUCKDB_TYPE_VARCHAR : DUCKDB_TYPE_BIGINT);
  if (type == ScalarType::kText || type == ScalarType::kInteger) return one;
  duckdb_logical_type list = duckdb_create_list_type(one);
  duckdb_destroy_logical_type(&one);
  return list;
}

}  // namespace

bool Arguments::any_null(size_t row) const {
  for (const Column& column : columns_) {
    if (column.valid != nullptr && (column.valid[row / 64] >> (row % 64) & 1) == 0) return true;
  }
  return false;
}

std::string_view Arguments::text(size_t column, size_t row) const {
  auto* value =
      const_cast<duckdb_string_t*>(static_cast<const duckdb_string_t*>(columns_[column].data) + row);
  return {duckdb_string_t_data(value), duckdb_string_t_length(*value)};
}

absl::Span<const int64_t> Arguments::integers(size_t column, size_t row) const {
  const duckdb_list_entry& entry = static_cast<const duckdb_list_entry*>(columns_[column].data)[row];
  return {columns_[column].items + entry.offset, entry.length};
}

Answers::Answers(void* vector)
    : vector_(vector), data_(duckdb_vector_get_data(static_cast<duckdb_vector>(vector))) {}

void Answers::set_null(size_t row) {
  auto vector = static_cast<duckdb_vector>(vector_);
  duckdb_vector_ensure_validity_writable(vector);
  duckdb_validity_set_row_invalid(duckdb_vector_get_validity(vector), row);
}

void Answers::set_text(size_t row, std::string_view text) {
  duckdb_vector_assign_string_element_len(static_cast<duckdb_vector>(vector_), row, text.data(), text.size());
}

void Answers::set_list(size_t row, absl::Span<const std::string> texts) {
  auto vector = static_cast<duckdb_vector>(vector_);
  static_cast<duckdb_list_entry*>(data_)[row] = {items_, texts.size()};
  duckdb_list_vector_reserve(vector, items_ + texts.size());
  duckdb_list_vector_set_size(vector, items_ + texts.size());
  duckdb_vector items = duckdb_list_vector_get_child(vector);
  for (const std::string& text : texts) {
    duckdb_vector_assign_string_element_len(items, items_++, text.data(), text.size());
  }
}

// Functions look for nulls themselves, so that none reads what lies in the row of a null.
absl::Status register_scalar(duckdb_connection connection, ScalarFunction function) {
  duckdb_scalar_function made = duckdb_create_scalar_function();
  duckdb_scalar_function_set_name(made, function.name.c_str());
  for (const ScalarType parameter : function.parameters) {
    duckdb_logical_type type = type_of(parameter);
    duckdb_scalar_function_add_parameter(made, type);
    duckdb_destroy_logical_type(&type);
  }
  duckdb_logical_type type = type_of(function.result);
  duckdb_scalar_function_set_return_type(made, type);
  duckdb_destroy_logical_type(&type);
  duckdb_scalar_function_set_special_handling(made);
  duckdb_scalar_function_set_function(made, run_scalar);
  const std::string name = function.name;
  duckdb_scalar_function_set_extra_info(made, new ScalarFunction(std::move(function)), destroy_function);
  const duckdb_state state = duckdb_register_scalar_function(connection, made);
  duckdb_destroy_scalar_function(&made);
  if (state == DuckDBSuccess) return absl::OkStatus();
  return failure(absl::StatusCode::kInternal, "DuckDB does not take the function ", name);
}

}  // namespace kehu::duck
