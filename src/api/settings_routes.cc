#include "api/answers.h"
#include "api/app.h"
#include "api/definition_change.h"
#include "codec/settings_json.h"
#include "json/document.h"
#include "json/writer.h"

namespace kehu::api {
namespace {

// The settings, and which version they are: whoever sends them back changed says so.
std::string settings_document(const engine::Project& project) {
  const definition::Version* version = project.find(definition::kSettings, "");
  const std::string settings = codec::settings_to_json(*project.settings());
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("version", version == nullptr ? 0 : version->sequence.value());
  out += ',';
  return out.append(settings, 1);
}

void get(App& app, const Request&, Responder responder) {
  responder.send(Response::json(settings_document(*app.engine().project())));
}

absl::StatusOr<Response> put(App& app, const Command& command) {
  const auto document = json::Document::parse(command.body);
  if (!document.ok()) return document.status();
  const auto seen = seen_version(document->root());
  if (!seen.ok()) return seen.status();
  const auto settings = codec::settings_from_json(command.body);
  if (!settings.ok()) return settings.status();
  const DefinitionChange change{
      .kind = definition::kSettings, .name = "", .actor = command.actor, .seen = *seen};
  const auto defined = change_definition(
      app, change, [&](const auto&, const auto*) { return codec::settings_to_json(*settings); });
  if (!defined.ok()) return refused(app, change, defined.status());
  return Response::json(settings_document(*app.engine().project()));
}

}  // namespace

void add_settings_routes(App& app, std::vector<Route>& routes) {
  routes.push_back({.pattern = "/api/v1/settings",
                    .permission = Permission::kReadDefinitions,
                    .action = NoBody{on_connection(app, get)},
                    .doc = {.summary = "The project's settings",
                            .group = "settings",
                            .answers = with_admin_answers({{200, "See docs/settings.md"}})}});
  routes.push_back(
      {.method = Method::kPut,
       .pattern = "/api/v1/settings",
       .permission = Permission::kChangeDefinitions,
       .action = BufferedBody{1 << 20, on_worker(app, put)},
       .doc = {.summary = "Replaces the project's settings; events that follow live by them",
               .text = "With the `version` that GET showed, settings that somebody else changed since are "
                       "refused; without it the last one wins.",
               .group = "settings",
               .body_content_type = "application/json",
               .answers = with_admin_answers(
                   {{200, "The new settings"},
                    {400, "A field is wrong; the detail names it", "application/problem+json", "Problem"},
                    {409, "Customers would not be found any more, or there is a newer `version`",
                     "application/problem+json", "Problem"}})}});
}

}  // namespace kehu::api
