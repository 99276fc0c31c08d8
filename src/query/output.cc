#include "query/output.h"

#include <charconv>

#include "absl/container/flat_hash_set.h"
#include "base/text.h"
#include "json/text.h"
#include "json/writer.h"
#include "query/table_output.h"

namespace kehu::query {
namespace {

using duck::ValueKind;

class CsvOutput : public Output {
 public:
  explicit CsvOutput(std::vector<duck::ResultColumn> columns) : columns_(std::move(columns)) {}

  void begin(std::string& out) override {
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) out.push_back(',');
      field(columns_[i].name, out);
    }
    out.push_back('\n');
  }
  void row(const duck::Batch& batch, size_t row, std::string& out) override {
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) out.push_back(',');
      if (batch.is_null(i, row)) continue;
      if (has_plain_text(columns_[i].kind)) {
        append_value(batch, columns_[i].kind, i, row, out);
      } else {
        field(batch.text(i, row), out);
      }
    }
    out.push_back('\n');
  }
  void end(std::string&) override {}

 private:
  static bool has_plain_text(ValueKind kind) { return is_native(kind) && kind != ValueKind::kText; }
  // RFC 4180. An empty text is "" and null is nothing, so that they differ.
  static void field(std::string_view text, std::string& out) {
    if (!text.empty() && text.find_first_of(",\"\r\n") == text.npos) {
      out.append(text);
      return;
    }
    out.push_back('"');
    for (const char c : text) {
      if (c == '"') out.push_back('"');
      out.push_back(c);
    }
    out.push_back('"');
  }
  std::vector<duck::ResultColumn> columns_;
};

// Readers of JSON keep one value per name, so a name that stands again is numbered, as DuckDB does it in a
// subquery: a, a_1, a_2.
std::vector<std::string> distinct_names(const std::vector<duck::ResultColumn>& columns) {
  std::vector<std::string> names;
  absl::flat_hash_set<std::string> given;
  for (const duck::ResultColumn& column : columns) given.insert(column.name);
  absl::flat_hash_set<std::string> used;
  for (const duck::ResultColumn& column : columns) {
    std::string name = column.name;
    for (int n = 1; used.contains(name) || (n > 1 && given.contains(name)); ++n)
      name = cat(column.name, "_", n);
    used.insert(name);
    names.push_back(std::move(name));
  }
  return names;
}

class JsonOutput : public Output {
 public:
  JsonOutput(std::vector<duck::ResultColumn> columns, bool lines)
      : columns_(std::move(columns)), lines_(lines) {
    for (const std::string& name : distinct_names(columns_))
      json::append_literal(name, names_.emplace_back());
  }

  void begin(std::string& out) override {
    if (!lines_) out += "[";
  }
  void row(const duck::Batch& batch, size_t row, std::string& out) override {
    if (!lines_) out += first_ ? "\n" : ",\n";
    first_ = false;
    out.push_back('{');
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) out.push_back(',');
      out.append(names_[i]).push_back(':');
      value(batch, i, row, out);
    }
    out.push_back('}');
    if (lines_) out.push_back('\n');
  }
  void end(std::string& out) override {
    if (!lines_) out += first_ ? "]\n" : "\n]\n";
  }

 private:
  void value(const duck::Batch& batch, size_t column, size_t row, std::string& out) {
    const ValueKind kind = columns_[column].kind;
    if (batch.is_null(column, row)) {
      out += "null";
    } else if (kind == ValueKind::kDouble) {
      json::Writer(out).value(batch.real(column, row));
    } else if (is_native(kind) && kind != ValueKind::kText) {
      append_value(batch, kind, column, row, out);
    } else if (kind == ValueKind::kExact || kind == ValueKind::kNested) {
      out.append(batch.text(column, row));
    } else {
      json::append_literal(batch.text(column, row), out);
    }
  }

  std::vector<duck::ResultColumn> columns_;
  std::vector<std::string> names_;
  bool lines_;
  bool first_ = true;
};

template <class T>
void append_number(T number, std::string& out) {
  char digits[32];
  out.append(digits, std::to_chars(digits, digits + sizeof(digits), number).ptr);
}

}  // namespace

bool is_native(ValueKind kind) {
  return kind == ValueKind::kBool || kind == ValueKind::kLong || kind == ValueKind::kUnsignedLong ||
         kind == ValueKind::kDouble || kind == ValueKind::kText;
}

void append_value(const duck::Batch& batch, ValueKind kind, size_t column, size_t row, std::string& out) {
  switch (kind) {
    case ValueKind::kBool:
      out += batch.boolean(column, row) ? "true" : "false";
      return;
    case ValueKind::kLong:
      append_number(batch.integer(column, row), out);
      return;
    case ValueKind::kUnsignedLong:
      append_number(batch.unsigned_integer(column, row), out);
      return;
    case ValueKind::kDouble:
      append_number(batch.real(column, row), out);
      return;
    default:
      out.append(batch.text(column, row));
      return;
  }
}

std::unique_ptr<Output> make_output(Format format, std::vector<duck::ResultColumn> columns) {
  switch (format) {
    case Format::kCsv:
      return std::make_unique<CsvOutput>(std::move(columns));
    case Format::kJson:
      return std::make_unique<JsonOutput>(std::move(columns), false);
    case Format::kNdjson:
      return std::make_unique<JsonOutput>(std::move(columns), true);
    case Format::kTable:
      return std::make_unique<TableOutput>(std::move(columns));
  }
  return nullptr;
}

std::optional<Format> parse_format(std::string_view name) {
  if (name == "csv") return Format::kCsv;
  if (name == "json") return Format::kJson;
  if (name == "ndjson") return Format::kNdjson;
  if (name == "table") return Format::kTable;
  return std::nullopt;
}

std::string_view content_type(Format format) {
  switch (format) {
    case Format::kCsv:
      return "text/csv; charset=utf-8";
    case Format::kJson:
      return "application/json";
    case Format::kNdjson:
      return "application/x-ndjson";
    case Format::kTable:
      return "text/plain; charset=utf-8";
  }
  return "";
}

}  // namespace kehu::query
