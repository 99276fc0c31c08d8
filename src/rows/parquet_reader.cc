#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>

#include "base/text.h"
#include "duck/database.h"
#include "rows/binary_text.h"
#include "rows/json_path.h"
#include "rows/row.h"
#include "text/near_word.h"
#include "text/number_text.h"

namespace kehu::rows {
namespace {

std::string quoted_name(const std::string& column) {
  std::string out = "\"";
  for (const char c : column) out.append(c == '"' ? 2 : 1, c);
  return out + "\"";
}

// By the type's name in SQL, e.g. "DECIMAL(18,3)" or "STRUCT(a INTEGER)[]".
CellKind kind_of(std::string_view type) {
  if (type.ends_with("]")) return CellKind::kJson;
  const std::string_view word = type.substr(0, type.find('('));
  for (const std::string_view nested : {"STRUCT", "MAP", "UNION", "JSON"}) {
    if (word == nested) return CellKind::kJson;
  }
  for (const std::string_view number :
       {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
        "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL"}) {
    if (word == number) return CellKind::kNumber;
  }
  return word == "BOOLEAN" ? CellKind::kBool : CellKind::kText;
}

// Single precision tells whole numbers apart up to 2^24; a longer id is another one by now. Six digits are
// what is sure of it, and the door knows by them that digits are gone (model/spreadsheet.h).
std::string single_precision_id(const std::string& column) {
  return cat("CASE WHEN abs(", column, ") < 16777216 THEN CAST(", column,
             " AS VARCHAR) ELSE format('{:.5e}', CAST(", column, " AS DOUBLE)) END");
}

// Every value is asked for as text; a row's text is the row as a JSON object. The position of a row is its
// number.
class ParquetReader : public RowReader {
 public:
  ParquetReader(const RowSpec& spec, std::string path) : spec_(spec), path_(std::move(path)) {}
  ParquetReader(const ParquetReader&) = delete;
  ParquetReader& operator=(const ParquetReader&) = delete;
  ~ParquetReader() override {
    if (descriptor_ >= 0) close(descriptor_);
  }

  absl::Status begin() {
    if (auto status = look(); !status.ok()) return status;
    std::string sql = "SELECT CAST(to_json(r) AS VARCHAR)";
    if (const absl::Status status = select(sql); !status.ok()) return status;
    if (const absl::Status status = count_rows(from_); !status.ok()) return about_file(status);
    auto result = connection_->query(sql + from_);
    if (!result.ok()) return about_file(result.status());
    result_ = std::make_unique<duck::Result>(*std::move(result));
    return absl::OkStatus();
  }

  // Only what columns there are.
  absl::Status look() {
    // One thread, so that rows come in the order of the file.
    auto database = duck::Database::open({.threads = 1});
    if (!database.ok()) return database.status();
    database_ = *std::move(database);
    auto connection = database_->connect();
    if (!connection.ok()) return connection.status();
    connection_ = *std::move(connection);
    if (auto status = open_file(); !status.ok()) return status;
    from_ = cat(" FROM read_parquet(", sql_literal(name_), ") r");
    const absl::Status status = describe(from_);
    return status.ok() ? status : about_file(status);
  }
  const std::vector<std::string>& names() const { return names_; }

  absl::StatusOr<bool> next(Row& row) override {
    while (at_ == batch_rows_) {
      const auto any = result_->next(batch_);
      if (!any.ok() || !*any) return any;
      batch_rows_ = batch_.rows();
      at_ = 0;
    }
    row.line = ++number_;
    row.fault.reset();
    row.text = batch_.text(0, at_);
    row.cells.assign(columns_.size(), {});
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (!batch_.is_null(i + 1, at_)) row.cells[i] = cell(columns_[i], batch_.text(i + 1, at_));
    }
    ++at_;
    return true;
  }

  std::vector<std::string> columns() const override { return names_; }

  // DuckDB does not say how far it has read: the share of rows stands for the share of bytes.
  uint64_t position() const override {
    return rows_ == 0 ? size_ : static_cast<uint64_t>(double(size_) * double(number_) / double(rows_));
  }

 private:
  // DuckDB reads names as patterns and addresses: "a[1].parquet" would be a1.parquet. A name in which it
  // might find anything is opened here, and given to it as a descriptor.
  absl::Status open_file() {
    name_ = path_;
    if (path_.find_first_of("*?[]{}\\~:") == path_.npos) return absl::OkStatus();
    descriptor_ = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor_ < 0) {
      return failure(absl::StatusCode::kPermissionDenied, path_, " cannot be opened: ", std::strerror(errno),
                     "; check who may read it");
    }
    name_ = cat("/proc/self/fd/", descriptor_);
    return absl::OkStatus();
  }

  absl::Status about_file(const absl::Status& status) const {
    // A database's message shows the statement below its first line.
    const std::string message = message_of(status);
    return failure(status.code(), path_,
                   ": cannot be read as Parquet: ", message.substr(0, message.find('\n')));
  }

  absl::Status describe(const std::string& from) {
    auto result =
        connection_->query(cat("SELECT column_name, column_type FROM (DESCRIBE SELECT *", from, ")"));
    if (!result.ok()) return result.status();
    return result->each_row([this](const duck::Batch& batch, size_t row) {
      names_.emplace_back(batch.text(0, row));
      types_.emplace_back(batch.text(1, row));
      return absl::OkStatus();
    });
  }

  // Where a column of the mapping stands: under its own name, or on a path into a nested column.
  absl::Status select(std::string& sql) {
    for (const std::string& wanted : spec_.columns) {
      auto at = std::find(names_.begin(), names_.end(), wanted);
      Column column;
      const size_t head = std::min(wanted.find_first_of(".["), wanted.size());
      if (at == names_.end() && head < wanted.size()) {
        at = std::find(names_.begin(), names_.end(), wanted.substr(0, head));
        auto path = JsonPath::parse_rest(std::string_view(wanted).substr(head));
        if (!path.ok()) return path.status();
        column.path = *std::move(path);
      }
      if (at == names_.end()) {
        return failure(absl::StatusCode::kNotFound, path_, " has no column \"", wanted, "\"; it has ",
                       text::list_of(names_), numbered_name(wanted));
      }
      const std::string& type = types_[static_cast<size_t>(at - names_.begin())];
      column.kind = kind_of(type);
      column.binary = type.find("BLOB") != type.npos;
      if (column.path && column.kind != CellKind::kJson) {
        return failure(absl::StatusCode::kInvalidArgument, path_, ": the column \"", *at, "\" is ", type,
                       ", so there is no \"", wanted, "\" in it");
      }
      const std::string named = cat("r.", quoted_name(*at));
      if (type == "FLOAT" && is_identifying(wanted)) {
        sql.append(cat(", ", single_precision_id(named)));
        columns_.push_back(std::move(column));
        continue;
      }
      sql.append(cat(", CAST(", column.kind == CellKind::kJson ? cat("to_json(", named, ")") : named,
                     " AS VARCHAR)"));
      columns_.push_back(std::move(column));
    }
    return absl::OkStatus();
  }

  // "U_1" for "U" beside "u": of names that differ in case alone, the later ones get a number. Else what was
  // probably meant.
  std::string numbered_name(const std::string& wanted) const {
    const auto is_it = [&](const std::string& name) {
      return name.size() > wanted.size() + 1 && name.starts_with(wanted) && name[wanted.size()] == '_' &&
             name.find_first_not_of("0123456789", wanted.size() + 1) == name.npos;
    };
    const auto found = std::find_if(names_.begin(), names_.end(), is_it);
    if (found == names_.end()) return text::did_you_mean(wanted, names_);
    return cat(
        "; of columns that differ only in upper and lower case, all but the first are read under a name "
        "with a number: write \"",
        *found, "\"");
  }

  bool is_identifying(const std::string& column) const {
    return std::find(spec_.identifying.begin(), spec_.identifying.end(), column) != spec_.identifying.end();
  }

  absl::Status count_rows(const std::string& from) {
    std::error_code error;
    size_ = std::filesystem::file_size(path_, error);
    auto result = connection_->query(cat("SELECT count(*)", from));
    if (!result.ok()) return result.status();
    duck::Batch batch;
    const auto any = result->next(batch);
    if (!any.ok()) return any.status();
    rows_ = *any ? static_cast<uint64_t>(batch.integer(0, 0)) : 0;
    return absl::OkStatus();
  }

  struct Column {
    CellKind kind = CellKind::kText;
    bool binary = false;  // bytes, or nested values with bytes in them
    std::optional<JsonPath> path{};
    std::string text{};  // behind the cell
    std::string found{};
  };

  Cell cell(Column& column, std::string_view text) const {
    if (column.kind == CellKind::kJson) return nested_cell(column, text);
    if (column.binary) text = column.text = binary_text(text);
    if (column.kind == CellKind::kText) return text_cell(spec_.file, text);
    std::string number;
    // Infinity and NaN, which JSON cannot say.
    if (column.kind == CellKind::kNumber && !text::append_number(text, std::nullopt, number)) return {};
    return {column.kind, text};
  }

  Cell nested_cell(Column& column, std::string_view text) const {
    if (column.binary) text = column.text = with_binary_texts(text);
    if (!column.path) return {CellKind::kJson, text};
    const json::RawValue root{text.starts_with('[') ? json::Kind::kArray : json::Kind::kObject, text};
    return column.path->cell(spec_.file, root, column.found);
  }

  const RowSpec& spec_;
  std::string path_;
  std::string name_;  // as DuckDB is told it
  std::string from_;
  int descriptor_ = -1;
  std::unique_ptr<duck::Database> database_;
  std::unique_ptr<duck::Connection> connection_;
  std::unique_ptr<duck::Result> result_;
  duck::Batch batch_;
  size_t batch_rows_ = 0;
  size_t at_ = 0;
  std::vector<std::string> names_;  // of the file
  std::vector<std::string> types_;
  std::vector<Column> columns_;  // of the mapping
  uint64_t number_ = 0;
  uint64_t rows_ = 0;
  uint64_t size_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RowReader>> read_parquet(const RowSpec& spec, const std::string& path) {
  auto reader = std::make_unique<ParquetReader>(spec, path);
  if (const absl::Status status = reader->begin(); !status.ok()) return status;
  return reader;
}

absl::StatusOr<std::vector<std::string>> parquet_columns(const std::string& path) {
  const RowSpec spec;
  ParquetReader reader(spec, path);
  if (const absl::Status status = reader.look(); !status.ok()) return status;
  return reader.names();
}

}  // namespace kehu::rows
