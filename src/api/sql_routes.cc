#include "api/answers.h"
#include "api/app.h"
#include "base/text.h"
#include "json/document.h"

namespace kehu::api {
namespace {

constexpr size_t kResultBytesMax = 256u << 20;
constexpr Duration kArchivePatience = Duration::seconds(5);

absl::StatusOr<Response> run(App& app, const std::string& sql, query::Format format) {
  app.engine().wait_archived(kArchivePatience);
  auto session = app.query().connect();
  if (!session.ok()) return session.status();
  std::string body;
  const auto summary = (*session)->run(sql, format, [&body](std::string_view piece) -> absl::Status {
    if (body.size() + piece.size() > kResultBytesMax) {
      return failure(absl::StatusCode::kOutOfRange, "the result is larger than ", kResultBytesMax,
                     " bytes: add a LIMIT or aggregate");
    }
    body.append(piece);
    return absl::OkStatus();
  });
  if (!summary.ok()) return summary.status();
  Response response{.status = 200, .content_type = query::content_type(format), .body = std::move(body)};
  response.with("X-Rows", std::to_string(summary->rows));
  response.with("X-Time-Ms", std::to_string(summary->time.micros() / 1000));
  return response;
}

// Statements may hold personal data: what is recorded of them is only how long they took.
Response run_traced(App& app, const std::string& sql, query::Format format, const trace::Link& trace) {
  trace::ActiveSpan span = trace.child("SQL statement");
  span.set("db.system.name", "duckdb");
  const auto response = run(app, sql, format);
  if (!response.ok()) span.fail();
  return to_answer(response);
}

void answer(App& app, const Request& request, std::string sql, const std::string& format_name,
            Responder responder) {
  const auto format = query::parse_format(format_name);
  if (!format) {
    return responder.send(to_response(Problem::bad_request("invalid_format", "There is no such format",
                                                           "one of csv, json, ndjson, table")));
  }
  app.statements().answer(std::move(responder),
                          [&app, sql = std::move(sql), format = *format, trace = request.trace] {
                            return run_traced(app, sql, format, trace);
                          });
}

void post(App& app, const Request& request, Responder responder) {
  const std::string format = request.query("format").value_or("json");
  const auto type = request.header("Content-Type");
  const bool json = (type && type->starts_with("application/json")) || request.body.starts_with('{');
  if (!json) {
    return answer(app, request, std::string(request.body), format, std::move(responder));
  }
  const auto document = json::Document::parse(request.body);
  const auto sql = document.ok() ? document->root().find("sql").as_string() : std::nullopt;
  if (!sql) {
    return responder.send(to_response(Problem::bad_request("missing_field", "There is no statement",
                                                           R"(send {"sql": "SELECT …", "format": "csv"})")));
  }
  answer(app, request, *sql, document->root().find("format").as_string().value_or(format),
         std::move(responder));
}

}  // namespace

void add_sql_routes(App& app, std::vector<Route>& routes) {
  routes.push_back(
      {.method = Method::kPost,
       .pattern = "/api/v1/sql",
       .permission = Permission::kQuery,
       .action = BufferedBody{1 << 20, on_connection(app, post)},
       .doc = {.summary = "Runs one read-only statement over the archive and the rows of the last moments",
               .text = "The body is {\"sql\", \"format\"} as JSON, or the statement itself as text.",
               .group = "sql",
               .fields = {{FieldDoc::Where::kQuery, "format", "string", "csv, json, ndjson or table", false}},
               .body_content_type = "application/json",
               .body_schema = "Sql",
               .answers = with_admin_answers(
                   {{200, "The rows"},
                    {400, "The statement is wrong", "application/problem+json", "Problem"},
                    {403, "The statement is not for reading", "application/problem+json", "Problem"},
                    {504, "It took too long", "application/problem+json", "Problem"}})}});
}

}  // namespace kehu::api
