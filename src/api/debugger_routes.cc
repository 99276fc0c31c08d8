#include <algorithm>

#include "api/answers.h"
#include "api/app.h"
#include "base/civil_day.h"
#include "base/text.h"
#include "debugger/debugger.h"
#include "json/writer.h"

namespace kehu::api {
namespace {

// Requests that belong to no source, of whoever wonders where his are.
void append_unclaimed(const debugger::StrangerLog& strangers, std::string& out) {
  out += "\"unclaimed\":";
  json::Writer writer(out);
  writer.begin_object().field("count", strangers.count()).key("last").begin_array();
  for (const debugger::StrangerLog::Seen& seen : strangers.last()) {
    writer.begin_object()
        .field("at", format_utc(seen.at))
        .field("method", seen.method)
        .field("path", seen.path);
    writer.field("remote", seen.remote).field("key", seen.key).field("status", seen.status).end_object();
  }
  writer.end_array().end_object();
}

void get_requests(App& app, const Request& request, Responder responder) {
  const auto project = app.engine().project();
  const std::string name = request.parameter("source");
  const engine::Source* source = project->find(name);
  if (source == nullptr) {
    return responder.send(to_response(
        Problem::not_found(cat("there is no source \"", name, "\": GET /api/v1/sources lists them"))));
  }
  debugger::Recorder& recorder = app.debugger().recorder();
  std::vector<debugger::Text> texts = recorder.last(source->id);
  std::reverse(texts.begin(), texts.end());
  recorder.look(source->id, app.engine().clock().now());
  std::string out = R"({"requests":[)";
  for (const debugger::Text& text : texts) out.append(out.back() == '[' ? "" : ",").append(*text);
  out += "],";
  append_unclaimed(app.strangers(), out);
  responder.send(Response::json(out + "}"));
}

}  // namespace

void add_debugger_routes(App& app, std::vector<Route>& routes) {
  routes.push_back(
      {.pattern = "/api/v1/sources/:source/requests",
       .permission = Permission::kReadEvents,
       .action = NoBody{on_connection(app, get_requests)},
       .doc = {.summary = "The last requests of a source, newest first, with every step's verdict",
               .text = "Up to 20. Asking makes the source watched for five minutes; of a source that nobody "
                       "watches only requests that went wrong are kept (docs/debugger.md).",
               .group = "sources",
               .fields = {{FieldDoc::Where::kPath, "source", "string", "name of a source", true}},
               .answers = with_admin_answers(
                   {{200, "The requests"},
                    {404, "No source of this name", "application/problem+json", "Problem"}})}});
}

}  // namespace kehu::api
