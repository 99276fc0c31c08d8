#include "query/statement.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

#include "base/text.h"

// A statement is judged by DuckDB's own syntax tree (json_serialize_sql), which exists for SELECT alone. So
// no second parser can disagree with the one that runs it. Locking the settings would not be enough: SELECT
// * FROM enable_logging(storage = 'file', storage_path = …) is a SELECT, and makes every later statement of
// the whole database fail. Table functions come from a short list for that reason, and the database has no
// access beyond the lake's directory (docs/decisions/lake.md).
namespace kehu::query {
namespace {

// Table functions reach files, settings and logs, so only these are let through.
constexpr std::string_view kTableFunctions[] = {
    "range",     "generate_series",  "unnest",       "repeat",     "json_each",
    "json_tree", "duckdb_functions", "duckdb_types", "repeat_row", "pragma_table_info"};
// Scalar functions compute, but for these.
constexpr std::string_view kRefusedFunctions[] = {"write_log", "getenv", "json_serialize_plan", "nextval",
                                                  "currval"};
constexpr std::string_view kInternalPrefix = "kehu_";

constexpr char kVerdict[] =
    "SELECT tree->>'error_message', tree->>'error_type', tree->>'position', "
    "json_array_length(tree->'statements'), "
    "CASE WHEN NOT (tree->>'error')::BOOLEAN AND json_array_length(tree->'statements') = 1 "
    "THEN json_deserialize_sql(tree) END "
    "FROM (SELECT json_serialize_sql(CAST($1 AS VARCHAR)) AS tree)";

// What the tree names: functions of tables, other functions, tables.
constexpr char kNames[] =
    "SELECT DISTINCT CASE WHEN key = 'table_name' THEN 'table' WHEN path LIKE '%.function' THEN 'source' "
    "ELSE "
    "'function' END, lower(atom->>'$') FROM json_tree(json_serialize_sql(CAST($1 AS VARCHAR))) "
    "WHERE key IN ('function_name', 'table_name') AND type = 'VARCHAR'";

template <size_t n>
bool contains(const std::string_view (&names)[n], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

// "LINE 2: the line" and a caret under the byte, as DuckDB shows places itself.
std::string show_place(std::string_view sql, size_t position) {
  position = std::min(position, sql.size());
  const size_t start = position == 0 ? 0 : sql.rfind('\n', position - 1) + 1;
  const std::string_view line = sql.substr(start, sql.find('\n', start) - start);
  const auto number = 1 + std::count(sql.begin(), sql.begin() + static_cast<std::ptrdiff_t>(start), '\n');
  const std::string head = cat("LINE ", number, ": ");
  return cat("\n\n", head, line, "\n", std::string(head.size() + position - start, ' '), "^");
}

absl::Status refusal(std::string_view what) {
  return failure(
      absl::StatusCode::kPermissionDenied, what,
      " is not allowed: statements here only read. Use SELECT "
      "over the views events, customers, segments, segment_log, order_events, orders, identity_log and "
      "definitions");
}

absl::Status judge_name(std::string_view kind, std::string_view name) {
  if (kind == "source" && !contains(kTableFunctions, name))
    return refusal(cat("the table function ", name, "()"));
  if (kind == "function" && (contains(kRefusedFunctions, name) || name.starts_with(kInternalPrefix))) {
    return refusal(cat("the function ", name, "()"));
  }
  if (kind == "table" && name.find('/') != name.npos) return refusal(cat("the file ", name));
  return absl::OkStatus();
}

absl::Status judge_names(duck::Connection& connection, const std::string& sql) {
  auto result = connection.query(kNames, {sql});
  if (!result.ok()) return result.status();
  return result->each_row([](const duck::Batch& batch, size_t row) {
    return judge_name(batch.text(0, row), batch.text(1, row));
  });
}

absl::Status syntax_error(std::string_view sql, const duck::Batch& batch) {
  const std::string_view message = batch.text(0, 0);
  if (!batch.is_null(1, 0) && batch.text(1, 0) == "not implemented") return refusal("this statement");
  size_t position = 0;
  if (batch.is_null(2, 0)) return failure(absl::StatusCode::kInvalidArgument, message);
  const std::string_view digits = batch.text(2, 0);
  std::from_chars(digits.data(), digits.data() + digits.size(), position);
  return failure(absl::StatusCode::kInvalidArgument, message, show_place(sql, position));
}

absl::StatusOr<Statement> check_select(duck::Connection& connection, std::string_view sql) {
  Statement statement{std::string(sql), ""};
  auto verdict = connection.query(kVerdict, {statement.text});
  if (!verdict.ok()) return verdict.status();
  duck::Batch batch;
  if (auto more = verdict->next(batch); !more.ok()) return more.status();
  if (!batch.is_null(0, 0)) return syntax_error(sql, batch);
  const uint64_t count = batch.is_null(3, 0) ? 0 : batch.unsigned_integer(3, 0);
  if (count == 0) return absl::InvalidArgumentError("the statement is empty");
  if (count > 1)
    return absl::InvalidArgumentError("one statement at a time, please: there are several, split by ;");
  statement.query = std::string(batch.text(4, 0));
  while (statement.query.ends_with(';') || statement.query.ends_with(' ')) statement.query.pop_back();
  batch = duck::Batch();
  if (absl::Status status = judge_names(connection, statement.text); !status.ok()) return status;
  return statement;
}

bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

// The rest behind a keyword, or nullopt when the text does not begin with it.
std::optional<std::string_view> behind_keyword(std::string_view sql, std::string_view keyword) {
  while (!sql.empty() && is_space(sql.front())) sql.remove_prefix(1);
  if (sql.size() <= keyword.size() || !is_space(sql[keyword.size()])) return std::nullopt;
  for (size_t i = 0; i < keyword.size(); ++i) {
    if (std::toupper(static_cast<unsigned char>(sql[i])) != keyword[i]) return std::nullopt;
  }
  return sql.substr(keyword.size());
}

}  // namespace

absl::StatusOr<Statement> check_statement(duck::Connection& connection, std::string_view sql) {
  const auto explained = behind_keyword(sql, "EXPLAIN");
  if (!explained) return check_select(connection, sql);
  // DuckDB makes no tree of EXPLAIN itself. What is explained has one, and ANALYZE runs it.
  const auto analyzed = behind_keyword(*explained, "ANALYZE");
  auto checked = check_select(connection, analyzed.value_or(*explained));
  if (!checked.ok()) return checked.status();
  return Statement{cat(analyzed ? "EXPLAIN ANALYZE " : "EXPLAIN ", checked->text), ""};
}

}  // namespace kehu::query
