#include "api/answers.h"
#include "api/app.h"
#include "base/text.h"
#include "json/document.h"
#include "json/writer.h"

namespace kehu::api {
namespace {

std::string_view stage_name(engine::CopyProgress::Stage stage) {
  switch (stage) {
    case engine::CopyProgress::Stage::kNone:
      return "none";
    case engine::CopyProgress::Stage::kRunning:
      return "running";
    case engine::CopyProgress::Stage::kDone:
      return "done";
    case engine::CopyProgress::Stage::kFailed:
      return "failed";
  }
  return "";
}

Response show(App& app) {
  const engine::CopyProgress progress = app.engine().backup().progress();
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("state", stage_name(progress.stage)).field("directory", progress.target);
  writer.field("bytes", progress.bytes).field("bytes_total", progress.bytes_total);
  if (!progress.status.ok()) writer.field("error", message_of(progress.status));
  writer.end_object();
  return Response::json(std::move(out));
}

// The server writes where it is told to: only whoever may open the data directory may say where.
bool refuse_from_afar(const Request& request, Responder& responder) {
  if (request.local) return false;
  responder.send(to_response(problem_of(absl::FailedPreconditionError(
      "backups are made on the server's own machine: `kehu backup TARGET --data DIR`, or the socket "
      "kehu.sock"))));
  return true;
}

void get(App& app, const Request& request, Responder responder) {
  if (!refuse_from_afar(request, responder)) responder.send(show(app));
}

void post(App& app, const Request& request, Responder responder) {
  if (refuse_from_afar(request, responder)) return;
  const auto document = json::Document::parse(request.body);
  const auto target = document.ok() ? document->root().find("directory").as_string() : std::nullopt;
  if (!target) {
    return responder.send(to_response(Problem::bad_request("missing_field", "There is no directory",
                                                           R"(send {"directory": "/absolute/path"})")));
  }
  const absl::Status started = app.engine().backup().start(std::string(*target));
  Response response = started.ok() ? show(app) : to_response(problem_of(started));
  if (started.ok()) response.status = 202;
  responder.send(std::move(response));
}

}  // namespace

void add_backup_routes(App& app, std::vector<Route>& routes) {
  routes.push_back(
      {.pattern = "/api/v1/backup",
       .permission = Permission::kOperate,
       .action = NoBody{on_connection(app, get)},
       .doc = {.summary = "How far the last backup has got",
               .text = "Only over the socket of the data directory.",
               .group = "backup",
               .answers = with_admin_answers({{200, "state is none, running, done or failed"}})}});
  routes.push_back(
      {.method = Method::kPost,
       .pattern = "/api/v1/backup",
       .permission = Permission::kOperate,
       .action = BufferedBody{16 << 10, on_connection(app, post)},
       .doc = {.summary = "Begins a backup of the data directory into a new one",
               .text = "Only over the socket of the data directory. docs/operations.md says what is in it.",
               .group = "backup",
               .body_content_type = "application/json",
               .answers =
                   with_admin_answers({{202, "Begun"},
                                       {400, "The path is not usable", "application/problem+json", "Problem"},
                                       {409, "One is running, or it was not asked over the socket",
                                        "application/problem+json", "Problem"}})}});
}

}  // namespace kehu::api
