#include <algorithm>
#include <optional>
#include <string>

#include "api/answers.h"
#include "api/app.h"
#include "api/definition_change.h"
#include "base/text.h"
#include "definition/backfill_pause.h"
#include "document/segment_document.h"
#include "json/document.h"
#include "json/writer.h"

// Back-fills of new rules: how far they are, pause and end (docs/rules.md).
namespace kehu::api {
namespace {

void answer(App& app, const Request&, Responder responder) {
  answer_from_replica(app.engine(), std::move(responder),
                      [&app](replica::Replica& replica) -> absl::StatusOr<std::string> {
                        return document::backfill_document(replica, app.filling_pace());
                      });
}

absl::StatusOr<Response> answer_now(App& app) {
  const auto body =
      ask_replica(app.engine(), [&app](replica::Replica& replica) -> absl::StatusOr<std::string> {
        return document::backfill_document(replica, app.filling_pace());
      });
  if (!body.ok()) return body.status();
  return Response::json(*body);
}

absl::StatusOr<Response> set_paused(App& app, const Command& command, bool paused) {
  const DefinitionChange change{.kind = definition::kBackfillPause, .name = "", .actor = command.actor};
  if (definition::is_backfill_paused(*app.engine().project()) != paused) {
    const auto changed = change_definition(
        app, change, [&](const engine::Project&, const definition::Version*) -> absl::StatusOr<std::string> {
          return definition::to_json(definition::BackfillPause{paused});
        });
    if (!changed.ok()) return refused(app, change, changed.status());
  }
  return answer_now(app);
}
absl::StatusOr<Response> pause(App& app, const Command& command) { return set_paused(app, command, true); }
absl::StatusOr<Response> resume(App& app, const Command& command) { return set_paused(app, command, false); }

// A version that is being filled in, and what was in force before it.
struct Filling {
  Sequence version;
  std::optional<std::string> before = {};  // a body; nullopt: nothing was
};

absl::StatusOr<Filling> filling_of(replica::Replica& replica, std::string_view kind,
                                   const std::string& name) {
  const auto& rules = replica.shard().registry().rules();
  const auto of_name = [&](const membership::Registry::Rule& rule, bool live) {
    return rule::to_string(rule.kind) == kind && rule.name == name &&
           (rule.state == membership::Registry::State::kLive) == live;
  };
  const auto filling = std::ranges::find_if(rules, [&](const auto& rule) { return of_name(rule, false); });
  if (filling == rules.end()) {
    return failure(absl::StatusCode::kFailedPrecondition, "nothing of the ", kind, " ", name,
                   " is being filled in: GET /api/v1/backfill shows what is");
  }
  Filling found{.version = filling->version};
  const auto live = std::ranges::find_if(rules, [&](const auto& rule) { return of_name(rule, true); });
  if (live == rules.end()) return found;
  for (const definition::NamedVersion& named : replica.definitions().versions(kind, name)) {
    if (named.version->sequence == live->version) found.before = named.version->body;
  }
  if (!found.before) return absl::DataLossError("the version in force is not among those that are kept");
  return found;
}

// Of the version before, all tallies are there: it is made again, and stays in force meanwhile.
absl::StatusOr<Response> cancel(App& app, const Command& command) {
  const auto document = json::Document::parse(command.body);
  if (!document.ok()) return document.status();
  const auto segment = document->root().find("segment").as_string();
  const auto tag = document->root().find("tag").as_string();
  if (segment.has_value() == tag.has_value()) {
    return absl::InvalidArgumentError(R"(send {"segment": "…"} or {"tag": "…"})");
  }
  const std::string_view kind = segment ? definition::kSegment : definition::kTag;
  const std::string name = segment ? *segment : *tag;
  const auto filling =
      ask_replica(app.engine(), [&](replica::Replica& replica) { return filling_of(replica, kind, name); });
  if (!filling.ok()) return filling.status();
  const DefinitionChange change{.kind = kind, .name = name, .actor = command.actor, .seen = filling->version};
  const auto withdrawn =
      filling->before ? change_definition(app, change,
                                          [&](const engine::Project&, const definition::Version*)
                                              -> absl::StatusOr<std::string> { return *filling->before; })
                      : delete_definition(app, change);
  if (!withdrawn.ok()) return refused(app, change, withdrawn.status());
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field(kind, name).field("withdrawn", filling->version.value());
  writer.field("deleted", !filling->before).field("version", withdrawn->version.value()).end_object();
  return Response::json(std::move(out));
}

}  // namespace

void add_backfill_routes(App& app, std::vector<Route>& routes) {
  routes.push_back(
      {.pattern = "/api/v1/backfill",
       .permission = Permission::kReadDefinitions,
       .action = NoBody{on_connection(app, answer)},
       .doc = {.summary = "Which rules are being filled in from the archive, how far and how fast",
               .group = "rules",
               .answers = with_admin_answers({{200, "The state"}})}});
  routes.push_back(
      {.method = Method::kPost,
       .pattern = "/api/v1/backfill/pause",
       .permission = Permission::kChangeDefinitions,
       .action = NoBody{on_worker(app, pause)},
       .doc = {.summary = "Lets all back-fills rest, over restarts too; events go on being counted",
               .group = "rules",
               .answers = with_admin_answers({{200, "The state"}})}});
  routes.push_back({.method = Method::kPost,
                    .pattern = "/api/v1/backfill/resume",
                    .permission = Permission::kChangeDefinitions,
                    .action = NoBody{on_worker(app, resume)},
                    .doc = {.summary = "Lets back-fills go on where they rested",
                            .group = "rules",
                            .answers = with_admin_answers({{200, "The state"}})}});
  routes.push_back(
      {.method = Method::kPost,
       .pattern = "/api/v1/backfill/cancel",
       .permission = Permission::kChangeDefinitions,
       .action = BufferedBody{16 << 10, on_worker(app, cancel)},
       .doc = {
           .summary = "Withdraws a version that is being filled in; the one before stays in force",
           .text =
               "The body is {\"segment\"} or {\"tag\"}. Of a rule that had no version before, the rule is "
               "deleted.",
           .group = "rules",
           .body_content_type = "application/json",
           .body_schema = "RuleName",
           .answers = with_admin_answers({{200, "What was withdrawn"},
                                          {409, "Nothing is being filled in, or another rule uses it",
                                           "application/problem+json", "Problem"}})}});
}

}  // namespace kehu::api
