#include <algorithm>
#include <filesystem>

#include "base/text.h"
#include "duck/database.h"
#include "mapping/near_word.h"
#include "mapping/number_text.h"
#include "mapping/row.h"

namespace kehu::mapping {
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

// Every value is asked for as text; a row's text is the row as a JSON object. The position of a row is its
// number.
class ParquetReader : public RowReader {
 public:
  ParquetReader(const Mapping& mapping, std::string path) : mapping_(mapping), path_(std::move(path)) {}

  absl::Status open() {
    // One thread, so that rows come in the order of the file.
    auto database = duck::Database::open({.threads = 1});
    if (!database.ok()) return database.status();
    database_ = *std::move(database);
    auto connection = database_->connect();
    if (!connection.ok()) return connection.status();
    connection_ = *std::move(connection);
    const std::string from = cat(" FROM read_parquet(", duck::quote(path_), ") r");
    if (const absl::Status status = describe(from); !status.ok()) return about_file(status);
    std::string sql = "SELECT CAST(to_json(r) AS VARCHAR)";
    if (const absl::Status status = select(sql); !status.ok()) return status;
    if (const absl::Status status = count_rows(from); !status.ok()) return about_file(status);
    auto result = connection_->query(sql + from);
    if (!result.ok()) return about_file(result.status());
    result_ = std::make_unique<duck::Result>(*std::move(result));
    return absl::OkStatus();
  }

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
    row.cells.assign(kinds_.size(), {});
    for (size_t i = 0; i < kinds_.size(); ++i) {
      if (!batch_.is_null(i + 1, at_)) row.cells[i] = cell(kinds_[i], batch_.text(i + 1, at_));
    }
    ++at_;
    return true;
  }

  // DuckDB does not say how far it has read: the share of rows stands for the share of bytes.
  uint64_t position() const override {
    return rows_ == 0 ? size_ : static_cast<uint64_t>(double(size_) * double(number_) / double(rows_));
  }

 private:
  absl::Status about_file(const absl::Status& status) const {
    return failure(status.code(), path_, ": ", message_of(status));
  }

  absl::Status describe(const std::string& from) {
    auto result =
        connection_->query(cat("SELECT column_name, column_type FROM (DESCRIBE SELECT *", from, ")"));
    if (!result.ok()) return result.status();
    duck::Batch batch;
    while (true) {
      const auto any = result->next(batch);
      if (!any.ok()) return any.status();
      if (!*any) return absl::OkStatus();
      for (size_t i = 0; i < batch.rows(); ++i) {
        names_.emplace_back(batch.text(0, i));
        types_.push_back(kind_of(batch.text(1, i)));
      }
    }
  }

  absl::Status select(std::string& sql) {
    for (const std::string& wanted : mapping_.columns) {
      const auto at = std::find(names_.begin(), names_.end(), wanted);
      if (at == names_.end()) {
        return failure(absl::StatusCode::kNotFound, path_, " has no column \"", wanted, "\"; it has ",
                       list_of(names_), did_you_mean(wanted, names_));
      }
      kinds_.push_back(types_[static_cast<size_t>(at - names_.begin())]);
      const std::string column = cat("r.", quoted_name(wanted));
      sql.append(cat(", CAST(", kinds_.back() == CellKind::kJson ? cat("to_json(", column, ")") : column,
                     " AS VARCHAR)"));
    }
    return absl::OkStatus();
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

  Cell cell(CellKind kind, std::string_view text) const {
    if (kind == CellKind::kText) return text_cell(mapping_.file, text);
    std::string number;
    // Infinity and NaN, which JSON cannot say.
    if (kind == CellKind::kNumber && !append_number(text, std::nullopt, number)) return {};
    return {kind, text};
  }

  const Mapping& mapping_;
  std::string path_;
  std::unique_ptr<duck::Database> database_;
  std::unique_ptr<duck::Connection> connection_;
  std::unique_ptr<duck::Result> result_;
  duck::Batch batch_;
  size_t batch_rows_ = 0;
  size_t at_ = 0;
  std::vector<std::string> names_;  // of the file
  std::vector<CellKind> types_;
  std::vector<CellKind> kinds_;  // of the mapping's columns
  uint64_t number_ = 0;
  uint64_t rows_ = 0;
  uint64_t size_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RowReader>> read_parquet(const Mapping& mapping, const std::string& path) {
  auto reader = std::make_unique<ParquetReader>(mapping, path);
  if (const absl::Status status = reader->open(); !status.ok()) return status;
  return reader;
}

}  // namespace kehu::mapping
