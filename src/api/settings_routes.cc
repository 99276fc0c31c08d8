#include "api/answers.h"
#include "api/app.h"
#include "codec/record.h"
#include "codec/settings_json.h"

namespace kehu::api {
namespace {

void get(App& app, const Request&, Responder responder) {
  responder.send(Response::json(codec::settings_to_json(*app.engine().project()->settings())));
}

absl::StatusOr<Response> put(App& app, const Command& command) {
  const auto settings = codec::settings_from_json(command.body);
  if (!settings.ok()) return settings.status();
  const auto project = app.engine().project();
  if (auto status = codec::check_settings_change({.from = *project->settings(), .to = *settings});
      !status.ok()) {
    return status;
  }
  const std::string text = codec::settings_to_json(*settings);
  RecordBatch batch;
  codec::add_record(batch, RecordKind::kDefinition, [&](std::string& out) {
    codec::append_definition({.kind = "settings", .name = "", .body = text, .actor = command.actor}, out);
  });
  const auto ack = app.engine().submit_and_wait(std::move(batch));
  if (!ack.ok()) return ack.status();
  return Response::json(text);
}

}  // namespace

void add_settings_routes(App& app, std::vector<Route>& routes) {
  routes.push_back({.pattern = "/api/v1/settings",
                    .action = NoBody{on_connection(app, get)},
                    .doc = {.summary = "The project's settings",
                            .group = "settings",
                            .answers = with_admin_answers({{200, "See docs/settings.md"}})}});
  routes.push_back(
      {.method = Method::kPut,
       .pattern = "/api/v1/settings",
       .action = BufferedBody{1 << 20, on_worker(app, put)},
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
