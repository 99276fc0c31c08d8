#include "duck/database.h"

#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "duck/bridge.h"

namespace kehu::duck {
namespace {

struct CodePrefix {
  std::string_view prefix;
  absl::StatusCode code;
};

constexpr CodePrefix kCodes[] = {
    {"INTERRUPT Error", absl::StatusCode::kCancelled},
    {"Out of Memory Error", absl::StatusCode::kResourceExhausted},
    {"IO Error", absl::StatusCode::kUnavailable},
    {"Permission Error", absl::StatusCode::kPermissionDenied},
    {"INTERNAL Error", absl::StatusCode::kInternal},
    {"FATAL Error", absl::StatusCode::kInternal},
};

class Config {
 public:
  Config() { KEHU_CHECK(duckdb_create_config(&config_) == DuckDBSuccess); }
  ~Config() { duckdb_destroy_config(&config_); }
  void set(const char* name, const std::string& value) {
    KEHU_CHECK(duckdb_set_config(config_, name, value.c_str()) == DuckDBSuccess);
  }
  duckdb_config get() const { return config_; }

 private:
  duckdb_config config_ = nullptr;
};

std::string list_literal(absl::Span<const std::string> texts) {
  std::string out = "[";
  for (const std::string& text : texts) out += cat(out.size() > 1 ? "," : "", sql_literal(text));
  return out + "]";
}

// In this order: what limits access comes last, because it also locks the settings before it.
std::string settings_of(const DatabaseOptions& options) {
  std::string sql = cat("SET GLOBAL TimeZone = ", sql_literal(options.time_zone), ";");
  if (options.only_directories.empty()) return sql + "SET GLOBAL preserve_insertion_order = false;";
  // Footers are read once per file, not once per statement: files never change.
  return cat(sql, "SET GLOBAL parquet_metadata_cache = true; SET GLOBAL allowed_directories = ",
             list_literal(options.only_directories),
             ";SET GLOBAL enable_external_access = false; SET GLOBAL lock_configuration = true;");
}

// DuckDB shows the place of a syntax error twice.
std::string_view without_repeated_place(std::string_view text) {
  constexpr std::string_view kPlace = "\n\nLINE ";
  const size_t first = text.find(kPlace);
  if (first == text.npos) return text;
  return text.substr(0, text.find(kPlace, first + kPlace.size()));
}

}  // namespace

absl::Status failure_of(const char* message) {
  const std::string_view text =
      without_repeated_place(message == nullptr ? "DuckDB gave no message" : message);
  for (const CodePrefix& known : kCodes) {
    if (text.starts_with(known.prefix)) return failure(known.code, text);
  }
  return failure(absl::StatusCode::kInvalidArgument, text);
}

struct Database::Handle {
  duckdb_database database = nullptr;
  ~Handle() { duckdb_close(&database); }
};

Database::Database(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
Database::~Database() = default;
Connection::Connection(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
Connection::~Connection() = default;

// Extensions are neither fetched nor loaded by themselves: what a statement names must not bring code into
// the process.
absl::StatusOr<std::unique_ptr<Database>> Database::open(const DatabaseOptions& options) {
  Config config;
  config.set("memory_limit", cat(options.memory_bytes, "B"));
  config.set("threads", cat(options.threads));
  config.set("temp_directory", options.temp_directory);
  config.set("autoinstall_known_extensions", "false");
  config.set("autoload_known_extensions", "false");
  config.set("allow_community_extensions", "false");
  auto handle = std::make_unique<Handle>();
  char* error = nullptr;
  if (duckdb_open_ext(nullptr, &handle->database, config.get(), &error) != DuckDBSuccess) {
    absl::Status status = failure_of(error);
    duckdb_free(error);
    return status;
  }
  std::unique_ptr<Database> database(new Database(std::move(handle)));
  auto connection = database->connect();
  if (!connection.ok()) return connection.status();
  if (absl::Status status = (*connection)->run(settings_of(options)); !status.ok()) return status;
  return database;
}

absl::StatusOr<std::unique_ptr<Connection>> Database::connect() {
  auto handle = std::make_unique<Connection::Handle>();
  if (duckdb_connect(handle_->database, &handle->connection) != DuckDBSuccess) {
    return absl::ResourceExhaustedError("DuckDB opens no further connection");
  }
  return std::unique_ptr<Connection>(new Connection(std::move(handle)));
}

absl::Status Database::add_scan(const std::string& name, std::vector<Column> columns, ScanSource source) {
  auto connection = connect();
  if (!connection.ok()) return connection.status();
  return register_scan((*connection)->handle_->connection, name, std::move(columns), std::move(source));
}

absl::Status Database::add_lookup(const std::string& name, LookupSource source) {
  auto connection = connect();
  if (!connection.ok()) return connection.status();
  return register_lookup((*connection)->handle_->connection, name, std::move(source));
}

absl::Status Database::add_scalar(ScalarFunction function) {
  auto connection = connect();
  if (!connection.ok()) return connection.status();
  return register_scalar((*connection)->handle_->connection, std::move(function));
}

absl::Status Connection::run(const std::string& sql) {
  duckdb_result result;
  const duckdb_state state = duckdb_query(handle_->connection, sql.c_str(), &result);
  const absl::Status status =
      state == DuckDBSuccess ? absl::OkStatus() : failure_of(duckdb_result_error(&result));
  duckdb_destroy_result(&result);
  return status;
}

void Connection::interrupt() { duckdb_interrupt(handle_->connection); }

}  // namespace kehu::duck
