#include "api/answers.h"
#include "api/app.h"
#include "codec/record.h"
#include "codec/settings_json.h"

namespace kehu::api {
namespace {

Response put(App& app, const std::string& body, const std::string& actor) {
  const auto settings = codec::settings_from_json(body);
  if (!settings.ok()) return to_response(problem_of(settings.status()));
  const auto project = app.engine().project();
  if (auto status = codec::check_settings_change({.from = *project->settings(), .to = *settings});
      !status.ok()) {
    return to_response(problem_of(status));
  }
  const std::string text = codec::settings_to_json(*settings);
  RecordBatch batch;
  codec::add_record(batch, RecordKind::kDefinition, [&](std::string& out) {
    codec::append_definition({.kind = "settings", .name = "", .body = text, .actor = actor}, out);
  });
  const auto ack = app.engine().submit_and_wait(std::move(batch));
  return ack.ok() ? Response::json(text) : to_response(problem_of(ack.status()));
}

}  // namespace

void add_settings_routes(App& app, std::vector<Route>& routes) {
  routes.push_back({.pattern = "/api/v1/settings",
                    .action = NoBody{[&app](const Request&, Responder responder) {
                      responder.send(
                          Response::json(codec::settings_to_json(*app.engine().project()->settings())));
                    }},
                    .doc = {.summary = "The project's settings",
                            .group = "settings",
                            .answers = with_admin_answers({{200, "See docs/settings.md"}})}});
  routes.push_back(
      {.method = Method::kPut,
       .pattern = "/api/v1/settings",
       .action = BufferedBody{1 << 20,
                              [&app](const Request& request, Responder responder) {
                                app.workers().answer(
                                    std::move(responder),
                                    [&app, body = std::string(request.body),
                                     actor = app.admin(request)->name] { return put(app, body, actor); });
                              }},
       .doc = {
           .summary = "Replaces the project's settings; events that follow live by them",
           .group = "settings",
           .body_content_type = "application/json",
           .answers = with_admin_answers(
               {{200, "The new settings"},
                {400, "A field is wrong; the detail names it", "application/problem+json", "Problem"},
                {409, "Customers would not be found any more", "application/problem+json", "Problem"}})}});
}

}  // namespace kehu::api
