#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "duck/database.h"

namespace kehu::query {

// A user's statement that was found to be for reading only.
struct Statement {
  std::string text;   // as given
  std::string query;  // as DuckDB writes it, fit for parentheses; empty for EXPLAIN
};

// Judges by DuckDB's own syntax tree: one SELECT (or VALUES, FROM, DESCRIBE, SHOW, SUMMARIZE, EXPLAIN of
// such), and no function that reaches files, settings or Kehu's inside. InvalidArgument with the place of a
// syntax error, PermissionDenied with the name of what is refused. ~0.5 ms.
absl::StatusOr<Statement> check_statement(duck::Connection& connection, std::string_view sql);

}  // namespace kehu::query
