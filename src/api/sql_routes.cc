#include <memory>
#include <mutex>

#include "absl/cleanup/cleanup.h"
#include "api/answers.h"
#include "api/app.h"
#include "base/text.h"
#include "json/document.h"
#include "query/result_text.h"

namespace kehu::api {
namespace {

constexpr Duration kArchivePatience = Duration::seconds(5);
constexpr int kLongResultsMax = 16;

// The rows behind the first piece of a result, for as long as somebody reads them. At most kLongResultsMax.
class LongResult final : public SlowBody {
 public:
  LongResult(App& app, std::unique_ptr<query::Session> session, std::unique_ptr<query::ResultText> text,
             trace::ActiveSpan span)
      : app_(app), session_(std::move(session)), text_(std::move(text)), span_(std::move(span)) {}
  ~LongResult() override { --app_.long_results(); }

  absl::StatusOr<Piece> next() override {
    Piece piece;
    const auto more = text_->next(piece.bytes);
    if (!more.ok()) {
      span_.fail();
      return more.status();
    }
    piece.last = !*more;
    return piece;
  }
  void cancel() override { session_->cancel(); }

 private:
  App& app_;
  const std::unique_ptr<query::Session> session_;
  const std::unique_ptr<query::ResultText> text_;
  trace::ActiveSpan span_;
};

// Whoever sent a statement and waits for its first piece. It may leave before the statement has begun, or
// while it works; the session is there in between.
class Asker {
 public:
  void leave() {
    const std::lock_guard lock(mutex_);
    left_ = true;
    if (session_ != nullptr) session_->end();
  }
  bool has_left() const {
    const std::lock_guard lock(mutex_);
    return left_;
  }
  // Until `session` is nullptr again it must live.
  void wait_for(query::Session* session) {
    const std::lock_guard lock(mutex_);
    session_ = session;
    if (left_ && session != nullptr) session->end();
  }

 private:
  mutable std::mutex mutex_;
  bool left_ = false;
  query::Session* session_ = nullptr;
};

// A result that fits into one piece is answered as a whole, with what there is to say of it. Of a longer one
// the rest is read on other threads: statements that begin do not wait for the readers of those before.
absl::StatusOr<Response> run(App& app, Asker& asker, const std::string& sql, query::Format format,
                             trace::ActiveSpan& span) {
  if (asker.has_left()) return absl::CancelledError("whoever sent the statement has left");
  app.engine().wait_archived(kArchivePatience);
  auto session = app.query().connect();
  if (!session.ok()) return session.status();
  asker.wait_for(session->get());
  const absl::Cleanup no_longer = [&asker] { asker.wait_for(nullptr); };
  auto text = (*session)->start(sql, format);
  if (!text.ok()) return text.status();
  Response response{.content_type = query::content_type(format)};
  const auto more = (*text)->next(response.body);
  if (!more.ok()) return more.status();
  if (!*more) {
    response.with("X-Rows", std::to_string((*text)->rows()));
    response.with("X-Time-Ms", std::to_string((*text)->time().micros() / 1000));
    return response;
  }
  if (++app.long_results() > kLongResultsMax) {
    --app.long_results();
    return failure(absl::StatusCode::kUnavailable, kLongResultsMax,
                   " results of more than 256 KiB are being read already: try again when one is through");
  }
  response.source = app.readers().source(
      std::make_unique<LongResult>(app, *std::move(session), *std::move(text), std::move(span)));
  return response;
}

// Statements may hold personal data: what is recorded of them is only how long they took.
Response run_traced(App& app, Asker& asker, const std::string& sql, query::Format format,
                    const trace::Link& trace) {
  trace::ActiveSpan span = trace.child("SQL statement");
  span.set("db.system.name", "duckdb");
  auto response = run(app, asker, sql, format, span);
  if (!response.ok()) span.fail();
  return to_answer(std::move(response));
}

void answer(App& app, const Request& request, std::string sql, const std::string& format_name,
            Responder responder) {
  const auto format = query::parse_format(format_name);
  if (!format) {
    return responder.send(to_response(Problem::bad_request("invalid_format", "There is no such format",
                                                           "one of csv, json, ndjson, table")));
  }
  const auto asker = std::make_shared<Asker>();
  responder.on_leave([asker] { asker->leave(); });
  app.statements().answer(std::move(responder),
                          [&app, asker, sql = std::move(sql), format = *format, trace = request.trace] {
                            return run_traced(app, *asker, sql, format, trace);
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
               .text =
                   "The body is {\"sql\", \"format\"} as JSON, or the statement itself as text. A result of "
                   "more than 256 KiB is streamed, of any length, in chunked coding; without its last "
                   "chunk it is not complete, because the statement failed or took too long. A smaller "
                   "one has the headers X-Rows and X-Time-Ms.",
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
