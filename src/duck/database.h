#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/sql_literal.h"
#include "duck/scalar.h"
#include "duck/scan.h"

// DuckDB behind a small face: the only folder that knows duckdb.h. Errors carry DuckDB's own message; a
// message about the text of a statement ends with the line and a caret under the place.
namespace kehu::duck {

struct DatabaseOptions {
  uint64_t memory_bytes = 512ull << 20;  // beyond it operators spill to temp_directory, or fail
  int threads = 2;
  std::string temp_directory = "";  // empty: nothing may spill
  std::string time_zone = "UTC";    // in which timestamps are read and printed
  // Statements may open no file outside these directories, and no setting can be changed afterwards. Empty:
  // any file may be opened (for Kehu's own statements, never for a user's).
  std::vector<std::string> only_directories = {};
};

class Connection;

// An in-memory database. Extensions are never loaded from disk or network. Any thread.
class Database {
 public:
  static absl::StatusOr<std::unique_ptr<Database>> open(const DatabaseOptions& options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  absl::StatusOr<std::unique_ptr<Connection>> connect();
  // Makes `SELECT … FROM name(id)` read the rows that `source` gives for the id. See scan.h.
  absl::Status add_scan(const std::string& name, std::vector<Column> columns, ScanSource source);
  // Makes the function name(id BIGINT, key VARCHAR, otherwise VARCHAR) → VARCHAR. See scan.h.
  absl::Status add_lookup(const std::string& name, LookupSource source);
  absl::Status add_scalar(ScalarFunction function);

 private:
  struct Handle;
  explicit Database(std::unique_ptr<Handle> handle);
  std::unique_ptr<Handle> handle_;
};

// What a column of a result holds.
enum class ValueKind : uint8_t {
  kBool,
  kLong,
  kUnsignedLong,
  kDouble,
  kText,
  kDate,
  kTimestamp,
  kExact,   // DECIMAL and 128-bit integers: cast to VARCHAR, which gives plain digits
  kNested,  // lists, structs, maps: to_json() gives their text
  kOther,   // cast to VARCHAR
};

struct ResultColumn {
  std::string name;
  ValueKind kind;
  std::string type;  // as SQL writes it, without what is in its parentheses: BIGINT, DECIMAL, LIST
};

// Up to 2,048 rows of a result. Getters demand the column's kind and a value that is not null.
class Batch {
 public:
  Batch();
  ~Batch();
  Batch(Batch&&) noexcept;
  Batch& operator=(Batch&&) noexcept;

  size_t rows() const;
  bool is_null(size_t column, size_t row) const;
  bool boolean(size_t column, size_t row) const;
  int64_t integer(size_t column,
                  size_t row) const;  // any signed width; days of a date; micros of a timestamp
  uint64_t unsigned_integer(size_t column, size_t row) const;
  double real(size_t column, size_t row) const;            // FLOAT and DOUBLE
  std::string_view text(size_t column, size_t row) const;  // valid as long as the batch and its result

 private:
  friend class Result;
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

// The rows of one statement, computed as they are fetched. Destroy it before its connection.
class Result {
 public:
  ~Result();
  Result(Result&&) noexcept;
  Result& operator=(Result&&) noexcept;

  const std::vector<ResultColumn>& columns() const;
  // False at the end. Cancelled when Connection::interrupt was called.
  absl::StatusOr<bool> next(Batch& batch);
  // All further rows, one by one; an error of `visit` ends the walk.
  absl::Status each_row(absl::FunctionRef<absl::Status(const Batch& batch, size_t row)> visit);

 private:
  friend class Connection;
  struct Handle;
  explicit Result(std::unique_ptr<Handle> handle);
  std::unique_ptr<Handle> handle_;
};

// One statement at a time; one thread at a time, but interrupt() may come from any.
class Connection {
 public:
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // For statements without rows.
  absl::Status run(const std::string& sql);
  // Parameters fill $1, $2… as text.
  absl::StatusOr<Result> query(const std::string& sql, absl::Span<const std::string> parameters = {});
  // Columns and their kinds without running it.
  absl::StatusOr<std::vector<ResultColumn>> describe(const std::string& sql);
  void interrupt();

 private:
  friend class Database;
  struct Handle;
  explicit Connection(std::unique_ptr<Handle> handle);
  std::unique_ptr<Handle> handle_;
};

}  // namespace kehu::duck
