#include <algorithm>

#include "absl/functional/function_ref.h"
#include "api/answers.h"
#include "api/app.h"
#include "api/definition_change.h"
#include "base/civil_day.h"
#include "base/text.h"
#include "definition/webhook.h"
#include "fetch/request.h"
#include "json/document.h"
#include "json/writer.h"
#include "seal/webhook_secret.h"

// Who is told when customers enter and leave segments (docs/webhooks.md).
namespace kehu::api {
namespace {

using definition::Webhook;
using definition::WebhookSecret;

constexpr Duration kOverlap = Duration::seconds(24 * 3600);
constexpr int64_t kOverlapSecondsMost = 30 * 24 * 3600;

void write_names(json::Writer& writer, std::string_view key,
                 const std::optional<std::vector<std::string>>& names) {
  writer.key(key);
  if (!names) {
    writer.value("all");
    return;
  }
  writer.begin_array();
  for (const std::string& name : *names) writer.value(name);
  writer.end_array();
}

void write_standing(json::Writer& writer, const webhook::Standing& standing) {
  if (standing.delivered) writer.field("last_delivered", format_utc(*standing.delivered));
  if (standing.failing) writer.field("failing_since", format_utc(*standing.failing));
  if (!standing.failure.empty()) writer.field("last_failure", standing.failure);
}

void write_counts(json::Writer& writer, const std::vector<outbox::Counts>& all, const std::string& channel) {
  const auto at = std::ranges::find(all, channel, &outbox::Counts::channel);
  const outbox::Counts counts = at == all.end() ? outbox::Counts{} : *at;
  writer.field("messages", counts.intents).field("delivered", counts.delivered);
  writer.field("refused", counts.refused).field("pending", counts.pending());
}

// Who was shown a secret sees only when it was made.
void write_webhook(App& app, json::Writer& writer, replica::Replica& replica, const Webhook& webhook,
                   std::string_view secret = {}) {
  const auto project = replica.project();
  writer.begin_object().field("name", webhook.name).field("url", webhook.url);
  writer.field("version", project->find(definition::kWebhook, webhook.name)->sequence.value());
  write_names(writer, "segments", webhook.segments);
  write_names(writer, "tags", webhook.tags);
  writer.field("enabled", webhook.enabled);
  if (!webhook.disabled_because.empty()) writer.field("disabled_because", webhook.disabled_because);
  writer.field("give_up_after_s", webhook.give_up_after.micros() / 1'000'000);
  if (!secret.empty()) writer.field("secret", secret);
  writer.key("secrets").begin_array();
  for (const WebhookSecret& each : webhook.secrets) {
    writer.begin_object().field("created", format_utc(each.created));
    if (each.valid_until) writer.field("valid_until", format_utc(*each.valid_until));
    writer.end_object();
  }
  writer.end_array();
  write_counts(writer, replica.shard().outbox().counts(), webhook.channel());
  if (app.options().webhooks != nullptr) write_standing(writer, app.options().webhooks->standing(webhook.id));
  writer.end_object();
}

absl::Status no_such(std::string_view name) {
  return failure(absl::StatusCode::kNotFound, "there is no webhook \"", name,
                 "\": GET /api/v1/webhooks lists them");
}

absl::StatusOr<std::string> webhook_document(App& app, replica::Replica& replica, const std::string& name,
                                             const std::string& secret = {}) {
  const auto webhook = definition::find_webhook(*replica.project(), name);
  if (webhook == nullptr) return no_such(name);
  std::string out;
  json::Writer writer(out);
  write_webhook(app, writer, replica, *webhook, secret);
  return out;
}

void list(App& app, const Request&, Responder responder) {
  answer_from_replica(app.engine(), std::move(responder),
                      [&app](replica::Replica& replica) -> absl::StatusOr<std::string> {
                        std::string out;
                        json::Writer writer(out);
                        writer.begin_object().key("webhooks").begin_array();
                        for (const auto& webhook : definition::webhooks_of(*replica.project()))
                          write_webhook(app, writer, replica, *webhook);
                        writer.end_array().end_object();
                        return out;
                      });
}

void show(App& app, const Request& request, Responder responder) {
  answer_from_replica(app.engine(), std::move(responder),
                      [&app, name = request.parameter("webhook")](replica::Replica& replica) {
                        return webhook_document(app, replica, name);
                      });
}

absl::Status wrong_member(std::string_view name) {
  return failure(absl::StatusCode::kInvalidArgument, "`", name,
                 "` is unknown or of the wrong kind: send {\"url\": \"https://…\", \"segments\": \"all\" or "
                 "[names], \"tags\": \"all\" or [names], \"enabled\": true, \"give_up_after_s\": 1 to ",
                 Webhook::kGiveUpAfterMost.micros() / 1'000'000, "}");
}

// False: neither "all" nor a list of names.
bool read_names(const json::Value& value, std::optional<std::vector<std::string>>& names) {
  if (value.as_string() == "all") {
    names = std::nullopt;
    return true;
  }
  if (!value.is_array()) return false;
  names = std::vector<std::string>();
  for (const auto& each : value) {
    const auto name = each.value.as_string();
    if (!name) return false;
    names->push_back(*name);
  }
  return true;
}

bool set_member(const json::Value::Member& member, Instant now, Webhook& webhook) {
  if (member.key == "segments") return read_names(member.value, webhook.segments);
  if (member.key == "tags") return read_names(member.value, webhook.tags);
  if (const auto url = member.value.as_string(); url && member.key == "url") {
    webhook.url = *url;
    return true;
  }
  if (const auto seconds = member.value.as_int(); seconds && member.key == "give_up_after_s") {
    webhook.give_up_after = Duration::seconds(std::clamp<int64_t>(*seconds, 0, INT32_MAX));
    return webhook.give_up_after >= Duration::seconds(1) &&
           webhook.give_up_after <= Webhook::kGiveUpAfterMost;
  }
  const auto enabled = member.value.as_bool();
  if (!enabled || member.key != "enabled") return false;
  if (*enabled && !webhook.enabled) webhook.enabled_since = now;
  webhook.enabled = *enabled;
  webhook.disabled_because.clear();
  return true;
}

// All members but those that stand outside of the webhook itself.
absl::Status set_members(const json::Value& body, Instant now, Webhook& webhook) {
  constexpr std::string_view kOthers[] = {"name", "version", "secret"};
  for (const auto& member : body) {
    if (std::ranges::find(kOthers, member.key) != std::end(kOthers)) continue;
    if (!set_member(member, now, webhook)) return wrong_member(member.key);
  }
  if (!fetch::shown(webhook.url).ok()) {
    return absl::InvalidArgumentError("`url` cannot be read: send http://HOST:PORT/PATH or https://");
  }
  return absl::OkStatus();
}

WebhookSecret sealed(App& app, const std::string& webhook, std::string_view secret) {
  return {.sealed = seal::seal_webhook_secret(app.key(), app.engine().project()->settings()->cipher, webhook,
                                              secret),
          .created = app.engine().clock().now()};
}

// One that the receiver has already, or a new one.
absl::StatusOr<std::string> secret_of(const json::Value& body) {
  const json::Value given = body.find("secret");
  if (!given.exists()) return seal::make_webhook_secret();
  return seal::parse_webhook_secret(given.as_string().value_or(""));
}

// `edit` makes the webhook of what is there; a new secret is shown this once.
using Edit = absl::FunctionRef<absl::StatusOr<Webhook>(const Webhook* before)>;
absl::StatusOr<Response> define(App& app, const DefinitionChange& change, Edit edit,
                                const std::string& secret = {}, int status = 200) {
  const auto defined = change_definition(
      app, change,
      [&](const engine::Project& project, const definition::Version*) -> absl::StatusOr<std::string> {
        const auto before = definition::find_webhook(project, change.name);
        const auto webhook = edit(before.get());
        if (!webhook.ok()) return webhook.status();
        return definition::to_json(*webhook);
      });
  if (!defined.ok()) return refused(app, change, defined.status());
  const auto body = ask_replica(app.engine(), [&](replica::Replica& replica) {
    return webhook_document(app, replica, std::string(change.name), secret);
  });
  if (!body.ok()) return body.status();
  return Response::json(*body, status);
}

absl::StatusOr<Response> create(App& app, const Command& command) {
  const auto document = json::Document::parse(command.body);
  if (!document.ok()) return document.status();
  const json::Value body = document->root();
  const std::string name = body.find("name").as_string().value_or("");
  const auto secret = secret_of(body);
  if (!secret.ok()) return secret.status();
  Webhook webhook;
  webhook.name = name;
  webhook.enabled_since = app.engine().clock().now();
  if (auto status = set_members(body, webhook.enabled_since, webhook); !status.ok()) return status;
  webhook.secrets = {sealed(app, name, *secret)};
  const DefinitionChange change{
      .kind = definition::kWebhook, .name = name, .actor = command.actor, .seen = Sequence()};
  auto made = define(
      app, change, [&](const Webhook*) { return webhook; }, seal::webhook_secret_text(*secret), 201);
  if (!made.ok() || made->status != 409 || definition::find_webhook(*app.engine().project(), name) == nullptr)
    return made;
  return to_response({.status = 409,
                      .code = "already_exists",
                      .title = "The webhook exists",
                      .detail = cat("a webhook \"", name, "\" exists: change it, or delete it")});
}

absl::StatusOr<Response> change(App& app, const Command& command) {
  const auto document = json::Document::parse(command.body);
  if (!document.ok()) return document.status();
  const auto seen = seen_version(document->root());
  if (!seen.ok()) return seen.status();
  const std::string& name = command.parameter("webhook");
  for (const char* fixed : {"name", "secret"}) {
    if (document->root().find(fixed).exists()) return wrong_member(fixed);
  }
  return define(app, {.kind = definition::kWebhook, .name = name, .actor = command.actor, .seen = *seen},
                [&](const Webhook* before) -> absl::StatusOr<Webhook> {
                  if (before == nullptr) return no_such(name);
                  Webhook webhook = *before;
                  auto status = set_members(document->root(), app.engine().clock().now(), webhook);
                  if (!status.ok()) return status;
                  return webhook;
                });
}

absl::StatusOr<Response> rotate(App& app, const Command& command) {
  const auto document = json::Document::parse(command.body.empty() ? "{}" : command.body);
  if (!document.ok()) return document.status();
  const auto secret = secret_of(document->root());
  if (!secret.ok()) return secret.status();
  const json::Value asked = document->root().find("overlap_s");
  const auto overlap =
      asked.exists() ? asked.as_int() : std::optional<int64_t>(kOverlap.micros() / 1'000'000);
  if (!overlap || *overlap < 0 || *overlap > kOverlapSecondsMost) {
    return failure(absl::StatusCode::kInvalidArgument, "`overlap_s` must be a number of seconds, 0 to ",
                   kOverlapSecondsMost, ": for how long messages are signed with the old secret as well");
  }
  const std::string& name = command.parameter("webhook");
  return define(
      app, {.kind = definition::kWebhook, .name = name, .actor = command.actor},
      [&](const Webhook* before) -> absl::StatusOr<Webhook> {
        if (before == nullptr) return no_such(name);
        Webhook webhook = *before;
        const Instant now = app.engine().clock().now();
        const Instant until = now + Duration::seconds(*overlap);
        for (WebhookSecret& old : webhook.secrets)
          old.valid_until = std::min(old.valid_until.value_or(until), until);
        std::erase_if(webhook.secrets, [&](const WebhookSecret& old) { return *old.valid_until <= now; });
        webhook.secrets.insert(webhook.secrets.begin(), sealed(app, name, *secret));
        return webhook;
      },
      seal::webhook_secret_text(*secret));
}

absl::StatusOr<Response> remove(App& app, const Command& command) {
  const DefinitionChange change{
      .kind = definition::kWebhook, .name = command.parameter("webhook"), .actor = command.actor};
  if (definition::find_webhook(*app.engine().project(), change.name) == nullptr) return no_such(change.name);
  const auto deleted = delete_definition(app, change);
  if (!deleted.ok()) return refused(app, change, deleted.status());
  return Response::no_content();
}

// What the receiver makes of a sample: its words are not shown, for they may be somebody else's secrets.
void try_out(App& app, const Request& request, Responder responder) {
  auto webhook = definition::find_webhook(*app.engine().project(), request.parameter("webhook"));
  if (webhook == nullptr) {
    return responder.send(to_response(problem_of(no_such(request.parameter("webhook")))));
  }
  if (app.options().webhooks == nullptr) {
    return responder.send(to_response(problem_of(absl::FailedPreconditionError(
        "webhooks are sent by `kehu serve`: start it on this data directory, and try again"))));
  }
  auto waiting = std::make_shared<WaitingResponder>(std::move(responder), [] {
    return to_response(problem_of(absl::UnavailableError("the server is stopping")));
  });
  const Instant began = app.engine().clock().now();
  app.options().webhooks->try_out(
      std::move(webhook), [&app, waiting, began](const absl::StatusOr<int>& status) {
        const int64_t took_ms = (app.engine().clock().now() - began).micros() / 1000;
        std::string out;
        json::Writer writer(out);
        writer.begin_object().field("delivered", status.ok() && *status >= 200 && *status < 300);
        if (status.ok()) {
          writer.field("status", *status);
        } else {
          writer.field("failure", message_of(status.status()));
        }
        writer.field("took_ms", took_ms).end_object();
        waiting->send(Response::json(std::move(out)));
      });
}

}  // namespace

void add_webhook_routes(App& app, std::vector<Route>& routes) {
  const FieldDoc webhook{FieldDoc::Where::kPath, "webhook", "string", "name of the webhook", true};
  const AnswerDoc unknown{404, "No such webhook", "application/problem+json", "Problem"};
  const AnswerDoc wrong{400, "A member is wrong; the detail names it", "application/problem+json", "Problem"};
  routes.push_back(
      {.pattern = "/api/v1/webhooks",
       .permission = Permission::kReadDefinitions,
       .action = NoBody{on_connection(app, list)},
       .doc = {.summary = "Who is told when customers enter and leave segments, and how that goes",
               .group = "webhooks",
               .answers = with_admin_answers({{200, "The webhooks"}})}});
  routes.push_back(
      {.method = Method::kPost,
       .pattern = "/api/v1/webhooks",
       .permission = Permission::kChangeDefinitions,
       .action = BufferedBody{64 << 10, on_worker(app, create)},
       .doc = {.summary = "Makes a webhook",
               .text = "Messages are signed as Standard Webhooks says. docs/webhooks.md",
               .group = "webhooks",
               .body_content_type = "application/json",
               .body_schema = "NewWebhook",
               .answers = with_admin_answers(
                   {{201, "With its secret, which is shown this once", "application/json", "Webhook"},
                    wrong,
                    {409, "The name is taken", "application/problem+json", "Problem"}})}});
  routes.push_back({.pattern = "/api/v1/webhooks/:webhook",
                    .permission = Permission::kReadDefinitions,
                    .action = NoBody{on_connection(app, show)},
                    .doc = {.summary = "One webhook",
                            .group = "webhooks",
                            .fields = {webhook},
                            .answers = with_admin_answers(
                                {{200, "The webhook", "application/json", "Webhook"}, unknown})}});
  routes.push_back(
      {.method = Method::kPatch,
       .pattern = "/api/v1/webhooks/:webhook",
       .permission = Permission::kChangeDefinitions,
       .action = BufferedBody{64 << 10, on_worker(app, change)},
       .doc = {.summary = "Enables or disables a webhook, changes its address or what it is told",
               .group = "webhooks",
               .fields = {webhook},
               .body_content_type = "application/json",
               .body_schema = "WebhookChange",
               .answers = with_admin_answers(
                   {{200, "The webhook", "application/json", "Webhook"}, wrong, unknown})}});
  routes.push_back({.method = Method::kDelete,
                    .pattern = "/api/v1/webhooks/:webhook",
                    .permission = Permission::kChangeDefinitions,
                    .action = NoBody{on_worker(app, remove)},
                    .doc = {.summary = "Deletes a webhook: what it was not told yet, it is not told",
                            .group = "webhooks",
                            .fields = {webhook},
                            .answers = with_admin_answers({{204, "It is deleted"}, unknown})}});
  routes.push_back(
      {.method = Method::kPost,
       .pattern = "/api/v1/webhooks/:webhook/rotate",
       .permission = Permission::kChangeDefinitions,
       .action = BufferedBody{16 << 10, on_worker(app, rotate)},
       .doc = {.summary =
                   "Gives a webhook a new secret; messages are signed with the old one as well for a while",
               .group = "webhooks",
               .fields = {webhook},
               .body_content_type = "application/json",
               .body_schema = "WebhookRotation",
               .answers = with_admin_answers(
                   {{200, "With the new secret, which is shown this once", "application/json", "Webhook"},
                    wrong,
                    unknown})}});
  routes.push_back({.method = Method::kPost,
                    .pattern = "/api/v1/webhooks/:webhook/test",
                    .permission = Permission::kChangeDefinitions,
                    .action = NoBody{on_connection(app, try_out)},
                    .doc = {.summary = "Sends a sample now, also while the webhook is disabled",
                            .group = "webhooks",
                            .fields = {webhook},
                            .answers = with_admin_answers({{200, "What became of it"}, unknown})}});
}

}  // namespace kehu::api
