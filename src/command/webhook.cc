#include "base/text.h"
#include "command/administration.h"
#include "command/answers.h"
#include "http/request.h"
#include "json/document.h"
#include "json/writer.h"

namespace kehu::command {
namespace {

std::string names_text(const json::Value& names) {
  if (!names.is_array()) return "all";
  std::string out;
  for (const auto& name : names) out += cat(out.empty() ? "" : ", ", name.value.as_string().value_or(""));
  return out.empty() ? "none" : out;
}

std::string webhook_text(const json::Value& webhook) {
  const bool enabled = webhook.find("enabled").as_bool().value_or(true);
  std::string out =
      cat(field(webhook, "name"), "  ", field(webhook, "url"), enabled ? "" : "  DISABLED", "\n");
  if (const std::string why = field(webhook, "disabled_because"); !why.empty())
    out += cat("  because ", why, "\n");
  out += cat("  segments: ", names_text(webhook.find("segments")),
             "; tags: ", names_text(webhook.find("tags")), "\n");
  out += cat("  ", field(webhook, "delivered"), " delivered, ", field(webhook, "pending"), " pending, ",
             field(webhook, "refused"), " given up\n");
  if (const std::string since = field(webhook, "failing_since"); !since.empty()) {
    out += cat("  failing since ", since, ": ", field(webhook, "last_failure"), "\n");
  }
  if (const std::string secret = field(webhook, "secret"); !secret.empty()) {
    out += cat("secret, shown this once: ", secret, "\n");
  }
  return out;
}

std::string webhooks_text(const json::Value& root) {
  std::string out;
  for (const auto& webhook : root.find("webhooks")) out += webhook_text(webhook.value);
  return out.empty() ? "there are no webhooks: `kehu webhook create NAME URL` makes one\n" : out;
}

absl::Status show(const WebhookCommand& command, const client::Request& request) {
  const auto body = call_once(command.where, request);
  if (!body.ok()) return body.status();
  const auto document = json::Document::parse(*body);
  if (command.json || !document.ok()) return print(*body);
  const json::Value root = document->root();
  return print(root.find("webhooks").exists() ? webhooks_text(root) : webhook_text(root));
}

std::string path_of(const WebhookCommand& command, std::string_view rest = {}) {
  return cat("/api/v1/webhooks/", http::percent_encode(command.name), rest);
}

void write_names(json::Writer& writer, std::string_view key, const std::vector<std::string>& names) {
  if (names.empty()) return;
  if (names.size() == 1 && names[0] == "all") {
    writer.field(key, "all");
    return;
  }
  writer.key(key).begin_array();
  for (const std::string& name : names) {
    if (name != "none" || names.size() > 1) writer.value(name);
  }
  writer.end_array();
}

std::string body_of(const WebhookCommand& command, bool is_new) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object();
  if (is_new) writer.field("name", command.name);
  if (!command.url.empty()) writer.field("url", command.url);
  write_names(writer, "segments", command.segments);
  write_names(writer, "tags", command.tags);
  if (command.enabled) writer.field("enabled", *command.enabled);
  if (command.give_up_after_s) writer.field("give_up_after_s", *command.give_up_after_s);
  if (is_new && !command.secret.empty()) writer.field("secret", command.secret);
  writer.end_object();
  return body;
}

}  // namespace

absl::Status list_webhooks(const WebhookCommand& command) {
  return show(command, {.path = "/api/v1/webhooks"});
}

absl::Status create_webhook(const WebhookCommand& command) {
  return show(
      command,
      {.method = "POST", .path = "/api/v1/webhooks", .headers = kJson, .body = body_of(command, true)});
}

absl::Status set_webhook(const WebhookCommand& command) {
  const std::string body = body_of(command, false);
  if (body == "{}") {
    return absl::InvalidArgumentError(
        "say what to change: --to, --segments, --tags, --enabled or --give-up-after");
  }
  return show(command, {.method = "PATCH", .path = path_of(command), .headers = kJson, .body = body});
}

absl::Status rotate_webhook(const WebhookCommand& command) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object();
  if (command.overlap_s) writer.field("overlap_s", *command.overlap_s);
  if (!command.secret.empty()) writer.field("secret", command.secret);
  writer.end_object();
  return show(command,
              {.method = "POST", .path = path_of(command, "/rotate"), .headers = kJson, .body = body});
}

absl::Status delete_webhook(const WebhookCommand& command) {
  const auto body = call_once(command.where, {.method = "DELETE", .path = path_of(command)});
  if (!body.ok()) return body.status();
  return print(cat("webhook ", command.name, " is deleted: what it was not told yet, it is not told"));
}

absl::Status test_webhook(const WebhookCommand& command) {
  const auto body = call_once(command.where, {.method = "POST", .path = path_of(command, "/test")});
  if (!body.ok()) return body.status();
  const auto document = json::Document::parse(*body);
  if (!document.ok()) return document.status();
  const json::Value root = document->root();
  if (command.json) {
    if (auto status = print(*body); !status.ok()) return status;
  }
  const std::string answer =
      cat("it answered ", field(root, "status"), " after ", field(root, "took_ms"), " ms");
  if (root.find("delivered").as_bool().value_or(false))
    return command.json ? absl::OkStatus() : print(answer);
  const std::string failed = field(root, "failure");
  return absl::UnavailableError(cat("the sample was not taken: ", failed.empty() ? answer : failed));
}

}  // namespace kehu::command
