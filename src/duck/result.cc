#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "duck/bridge.h"

namespace kehu::duck {
namespace {

struct KnownType {
  duckdb_type id;
  ValueKind kind;
  const char* name;
};

constexpr KnownType kTypes[] = {
    {DUCKDB_TYPE_BOOLEAN, ValueKind::kBool, "BOOLEAN"},
    {DUCKDB_TYPE_TINYINT, ValueKind::kLong, "TINYINT"},
    {DUCKDB_TYPE_SMALLINT, ValueKind::kLong, "SMALLINT"},
    {DUCKDB_TYPE_INTEGER, ValueKind::kLong, "INTEGER"},
    {DUCKDB_TYPE_BIGINT, ValueKind::kLong, "BIGINT"},
    {DUCKDB_TYPE_UTINYINT, ValueKind::kUnsignedLong, "UTINYINT"},
    {DUCKDB_TYPE_USMALLINT, ValueKind::kUnsignedLong, "USMALLINT"},
    {DUCKDB_TYPE_UINTEGER, ValueKind::kUnsignedLong, "UINTEGER"},
    {DUCKDB_TYPE_UBIGINT, ValueKind::kUnsignedLong, "UBIGINT"},
    {DUCKDB_TYPE_FLOAT, ValueKind::kDouble, "FLOAT"},
    {DUCKDB_TYPE_DOUBLE, ValueKind::kDouble, "DOUBLE"},
    {DUCKDB_TYPE_VARCHAR, ValueKind::kText, "VARCHAR"},
    {DUCKDB_TYPE_DATE, ValueKind::kDate, "DATE"},
    {DUCKDB_TYPE_TIMESTAMP, ValueKind::kTimestamp, "TIMESTAMP"},
    {DUCKDB_TYPE_TIMESTAMP_TZ, ValueKind::kTimestamp, "TIMESTAMP WITH TIME ZONE"},
    {DUCKDB_TYPE_HUGEINT, ValueKind::kExact, "HUGEINT"},
    {DUCKDB_TYPE_UHUGEINT, ValueKind::kExact, "UHUGEINT"},
    {DUCKDB_TYPE_DECIMAL, ValueKind::kExact, "DECIMAL"},
    {DUCKDB_TYPE_LIST, ValueKind::kNested, "LIST"},
    {DUCKDB_TYPE_ARRAY, ValueKind::kNested, "ARRAY"},
    {DUCKDB_TYPE_STRUCT, ValueKind::kNested, "STRUCT"},
    {DUCKDB_TYPE_MAP, ValueKind::kNested, "MAP"},
    {DUCKDB_TYPE_UNION, ValueKind::kNested, "UNION"},
    {DUCKDB_TYPE_INTERVAL, ValueKind::kOther, "INTERVAL"},
    {DUCKDB_TYPE_TIME, ValueKind::kOther, "TIME"},
    {DUCKDB_TYPE_UUID, ValueKind::kOther, "UUID"},
    {DUCKDB_TYPE_BLOB, ValueKind::kOther, "BLOB"},
    {DUCKDB_TYPE_ENUM, ValueKind::kOther, "ENUM"},
    {DUCKDB_TYPE_BIT, ValueKind::kOther, "BIT"},
};

const KnownType* find_type(duckdb_type id) {
  for (const KnownType& type : kTypes) {
    if (type.id == id) return &type;
  }
  return nullptr;
}

ResultColumn column_of(const char* name, duckdb_type id) {
  const KnownType* type = find_type(id);
  if (type == nullptr) return {name, ValueKind::kOther, "UNKNOWN"};
  return {name, type->kind, type->name};
}

class Statement {
 public:
  Statement() = default;
  Statement(Statement&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
  ~Statement() { duckdb_destroy_prepare(&statement_); }
  absl::Status prepare(duckdb_connection connection, const std::string& sql) {
    if (duckdb_prepare(connection, sql.c_str(), &statement_) == DuckDBSuccess) return absl::OkStatus();
    return failure_of(duckdb_prepare_error(statement_));
  }
  duckdb_prepared_statement get() const { return statement_; }

 private:
  duckdb_prepared_statement statement_ = nullptr;
};

}  // namespace

struct Batch::Handle {
  struct Vector {
    const void* data = nullptr;
    uint64_t* validity = nullptr;
    duckdb_type type = DUCKDB_TYPE_INVALID;
  };
  duckdb_data_chunk chunk = nullptr;
  size_t rows = 0;
  std::vector<Vector> vectors;

  ~Handle() { release(); }
  void release() {
    if (chunk != nullptr) duckdb_destroy_data_chunk(&chunk);
    chunk = nullptr;
    rows = 0;
  }
  void take(duckdb_data_chunk from, const std::vector<duckdb_type>& types) {
    release();
    chunk = from;
    rows = duckdb_data_chunk_get_size(chunk);
    vectors.resize(types.size());
    for (size_t i = 0; i < types.size(); ++i) {
      duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, i);
      vectors[i] = {duckdb_vector_get_data(vector), duckdb_vector_get_validity(vector), types[i]};
    }
  }
  template <class T>
  T get(size_t column, size_t row) const {
    return static_cast<const T*>(vectors[column].data)[row];
  }
};

Batch::Batch() : handle_(std::make_unique<Handle>()) {}
Batch::~Batch() = default;
Batch::Batch(Batch&&) noexcept = default;
Batch& Batch::operator=(Batch&&) noexcept = default;

size_t Batch::rows() const { return handle_->rows; }

bool Batch::is_null(size_t column, size_t row) const {
  uint64_t* validity = handle_->vectors[column].validity;
  return validity != nullptr && !duckdb_validity_row_is_valid(validity, row);
}

bool Batch::boolean(size_t column, size_t row) const { return handle_->get<bool>(column, row); }

int64_t Batch::integer(size_t column, size_t row) const {
  switch (handle_->vectors[column].type) {
    case DUCKDB_TYPE_TINYINT:
      return handle_->get<int8_t>(column, row);
    case DUCKDB_TYPE_SMALLINT:
      return handle_->get<int16_t>(column, row);
    case DUCKDB_TYPE_DATE:
    case DUCKDB_TYPE_INTEGER:
      return handle_->get<int32_t>(column, row);
    default:
      return handle_->get<int64_t>(column, row);
  }
}

uint64_t Batch::unsigned_integer(size_t column, size_t row) const {
  switch (handle_->vectors[column].type) {
    case DUCKDB_TYPE_UTINYINT:
      return handle_->get<uint8_t>(column, row);
    case DUCKDB_TYPE_USMALLINT:
      return handle_->get<uint16_t>(column, row);
    case DUCKDB_TYPE_UINTEGER:
      return handle_->get<uint32_t>(column, row);
    default:
      return handle_->get<uint64_t>(column, row);
  }
}

double Batch::real(size_t column, size_t row) const {
  if (handle_->vectors[column].type == DUCKDB_TYPE_FLOAT) {
    return static_cast<double>(handle_->get<float>(column, row));
  }
  return handle_->get<double>(column, row);
}

std::string_view Batch::text(size_t column, size_t row) const {
  auto* value =
      const_cast<duckdb_string_t*>(static_cast<const duckdb_string_t*>(handle_->vectors[column].data) + row);
  return {duckdb_string_t_data(value), duckdb_string_t_length(*value)};
}

struct Result::Handle {
  Statement statement;
  duckdb_result result = {};
  std::vector<ResultColumn> columns;
  std::vector<duckdb_type> types;

  ~Handle() { duckdb_destroy_result(&result); }
};

Result::Result(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
Result::~Result() = default;
Result::Result(Result&&) noexcept = default;
Result& Result::operator=(Result&&) noexcept = default;

const std::vector<ResultColumn>& Result::columns() const { return handle_->columns; }

absl::StatusOr<bool> Result::next(Batch& batch) {
  batch.handle_->release();
  duckdb_data_chunk chunk = duckdb_fetch_chunk(handle_->result);
  if (chunk == nullptr) {
    const char* error = duckdb_result_error(&handle_->result);
    if (error != nullptr && *error != '\0') return failure_of(error);
    return false;
  }
  batch.handle_->take(chunk, handle_->types);
  return batch.rows() > 0;
}

absl::Status Result::each_row(absl::FunctionRef<absl::Status(const Batch& batch, size_t row)> visit) {
  Batch batch;
  while (true) {
    const auto more = next(batch);
    if (!more.ok()) return more.status();
    if (!*more) return absl::OkStatus();
    for (size_t row = 0; row < batch.rows(); ++row) {
      if (absl::Status status = visit(batch, row); !status.ok()) return status;
    }
  }
}

// Results are streamed: DuckDB goes on when the next chunk is asked for, so a result may be larger than the
// memory that it may take. In return a statement can fail in the midst of its rows, which Result::next
// tells.
absl::StatusOr<Result> Connection::query(const std::string& sql, absl::Span<const std::string> parameters) {
  auto handle = std::make_unique<Result::Handle>();
  if (absl::Status status = handle->statement.prepare(handle_->connection, sql); !status.ok()) return status;
  for (size_t i = 0; i < parameters.size(); ++i) {
    duckdb_bind_varchar_length(handle->statement.get(), i + 1, parameters[i].data(), parameters[i].size());
  }
  duckdb_pending_result pending = nullptr;
  absl::Status status;
  if (duckdb_pending_prepared_streaming(handle->statement.get(), &pending) != DuckDBSuccess ||
      duckdb_execute_pending(pending, &handle->result) != DuckDBSuccess) {
    const char* late = duckdb_result_error(&handle->result);
    status = failure_of(late != nullptr && *late != '\0' ? late : duckdb_pending_error(pending));
  }
  duckdb_destroy_pending(&pending);
  if (!status.ok()) return status;
  for (idx_t i = 0; i < duckdb_column_count(&handle->result); ++i) {
    const duckdb_type type = duckdb_column_type(&handle->result, i);
    handle->columns.push_back(column_of(duckdb_column_name(&handle->result, i), type));
    handle->types.push_back(type);
  }
  return Result(std::move(handle));
}

absl::StatusOr<std::vector<ResultColumn>> Connection::describe(const std::string& sql) {
  Statement statement;
  if (absl::Status status = statement.prepare(handle_->connection, sql); !status.ok()) return status;
  std::vector<ResultColumn> columns;
  for (idx_t i = 0; i < duckdb_prepared_statement_column_count(statement.get()); ++i) {
    const char* name = duckdb_prepared_statement_column_name(statement.get(), i);
    columns.push_back(column_of(name, duckdb_prepared_statement_column_type(statement.get(), i)));
    duckdb_free(const_cast<char*>(name));
  }
  return columns;
}

}  // namespace kehu::duck
