#include "base/text.h"
#include "command/administration.h"
#include "command/answers.h"
#include "http/request.h"
#include "json/document.h"
#include "json/writer.h"

namespace kehu::command {
namespace {

std::string limit_of(const json::Value& source) {
  const int64_t all = source.find("events_per_second").as_int().value_or(0);
  const int64_t one = source.find("events_per_second_per_address").as_int().value_or(0);
  std::string out = all > 0 ? cat(", at most ", all, " events a second") : "";
  if (one > 0) out += cat(", ", one, " of one address");
  return out;
}

std::string source_text(const json::Value& source) {
  const bool enabled = source.find("enabled").as_bool().value_or(true);
  std::string out = cat(field(source, "name"), "  channel ", field(source, "channel"),
                        enabled ? "" : ", DISABLED", limit_of(source), "\n");
  for (const auto& key : source.find("keys")) {
    const std::string revoked = field(key.value, "revoked");
    const std::string made = field(key.value, "created");
    out += cat("  ", field(key.value, "hint"),
               made.empty() ? "  of the server's environment" : cat("  made ", made),
               revoked.empty() ? "" : cat(", revoked ", revoked), "\n");
  }
  if (const std::string key = field(source, "write_key"); !key.empty()) {
    out += cat("write key, shown this once: ", key, "\n");
  }
  return out;
}

std::string sources_text(const json::Value& root) {
  std::string out;
  for (const auto& source : root.find("sources")) out += source_text(source.value);
  return out;
}

// Who typed a command is sent to another one.
absl::Status in_words_of_commands(const absl::Status& status) {
  constexpr std::string_view kRoute = "GET /api/v1/sources";
  std::string message(message_of(status));
  const size_t at = message.find(kRoute);
  if (at != std::string::npos) message.replace(at, kRoute.size(), "`kehu source list`");
  return failure(status.code(), message);
}

absl::Status show(const SourceCommand& command, const client::Request& request) {
  const auto body = call_once(command.where, request);
  if (!body.ok()) return in_words_of_commands(body.status());
  const auto document = json::Document::parse(*body);
  if (command.json || !document.ok()) return print(*body);
  const json::Value root = document->root();
  return print(root.find("sources").exists() ? sources_text(root) : source_text(root));
}

std::string path_of(const SourceCommand& command) {
  return cat("/api/v1/sources/", http::percent_encode(command.name));
}

}  // namespace

absl::Status list_sources(const SourceCommand& command) { return show(command, {.path = "/api/v1/sources"}); }

absl::Status add_source(const SourceCommand& command) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object().field("name", command.name);
  if (!command.channel.empty()) writer.field("channel", command.channel);
  writer.end_object();
  return show(command, {.method = "POST", .path = "/api/v1/sources", .headers = kJson, .body = body});
}

absl::Status set_source(const SourceCommand& command) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object();
  if (!command.channel.empty()) writer.field("channel", command.channel);
  if (command.enabled) writer.field("enabled", *command.enabled);
  if (command.events_per_second) writer.field("events_per_second", *command.events_per_second);
  if (command.events_per_second_per_address)
    writer.field("events_per_second_per_address", *command.events_per_second_per_address);
  writer.end_object();
  if (body == "{}") {
    return absl::InvalidArgumentError(
        "say what to change: --channel, --enabled, --events-per-second or --events-per-second-per-address");
  }
  return show(command, {.method = "PATCH", .path = path_of(command), .headers = kJson, .body = body});
}

absl::Status delete_source(const SourceCommand& command) {
  const auto body = call_once(command.where, {.method = "DELETE", .path = path_of(command)});
  if (!body.ok()) return in_words_of_commands(body.status());
  return print(cat("source ", command.name, " is deleted: its keys open nothing any more, its events stay"));
}

absl::Status add_source_key(const SourceCommand& command) {
  return show(command, {.method = "POST", .path = path_of(command) + "/keys"});
}

absl::Status revoke_source_key(const SourceCommand& command) {
  return show(command, {.method = "DELETE",
                        .path = cat(path_of(command), "/keys/", http::percent_encode(command.hint))});
}

}  // namespace kehu::command
