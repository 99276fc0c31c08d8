#include <cstdio>

#include "base/text.h"
#include "command/answers.h"
#include "command/commands.h"
#include "http/request.h"
#include "json/document.h"
#include "mapping/row_mapper.h"
#include "os/posix_file_system.h"
#include "os/whole_file.h"

namespace kehu::command {
namespace {

std::string filter_of(const RejectionsCommand& command) {
  std::string query = cat("?limit=", command.limit);
  const auto add = [&query](std::string_view name, const std::string& value) {
    if (!value.empty()) query += cat("&", name, "=", http::percent_encode(value));
  };
  add("reason", command.reason);
  add("source", command.source);
  add("state", command.state);
  return query;
}

absl::StatusOr<std::string> corrected_event(const std::string& file) {
  if (file.empty()) return std::string();
  if (file != "-") return os::read_whole_file(os::posix_file_system(), file);
  std::string text;
  char buffer[4096];
  while (const size_t size = std::fread(buffer, 1, sizeof(buffer), stdin)) text.append(buffer, size);
  return text;
}

absl::StatusOr<client::Request> request_of(const RejectionsCommand& command) {
  const std::string base = "/api/v1/rejections";
  const std::string& action = command.action;
  if (action == "list") return client::Request{.path = base + filter_of(command)};
  if (action == "counts") return client::Request{.path = base + "/counts"};
  const bool filtered = !command.reason.empty() || !command.source.empty();
  if (action == "replay" && !filtered && !command.all) {
    return absl::InvalidArgumentError(
        "replay reads every open rejection again: name some by --reason or --source, or say --all");
  }
  if (action == "replay")
    return client::Request{.method = "POST", .path = base + "/replay" + filter_of(command)};
  if (command.id.empty()) return absl::InvalidArgumentError(action + " needs the number of a rejection");
  const std::string one = cat(base, "/", http::percent_encode(command.id));
  if (action == "show") return client::Request{.path = one};
  if (action == "discard") return client::Request{.method = "POST", .path = one + "/discard"};
  auto event = corrected_event(command.event_file);
  if (!event.ok()) return event.status();
  return client::Request{.method = "POST", .path = one + "/repair", .headers = {}, .body = *std::move(event)};
}

// "orders.csv:17 at /time"
std::string place(const json::Value& rejection) {
  const std::string path = field(rejection, "path");
  return cat(field(rejection, "origin"), path.empty() ? "" : " at ", path);
}

std::string one_text(const json::Value& rejection) {
  const json::Value payload = rejection.find("payload");
  std::string out = cat("rejection ", field(rejection, "id"), ", ", field(rejection, "state"), "\n");
  const auto line = [&out](std::string_view name, std::string_view value) {
    constexpr size_t kWidth = 12;
    out += cat("  ", name, std::string(kWidth - name.size(), ' '), value, "\n");
  };
  line("reason", field(rejection, "reason"));
  line("detail", field(rejection, "detail"));
  line("place", place(rejection));
  line("source", field(rejection, "source"));
  line("received", field(rejection, "received_at"));
  // What was no JSON comes as a text. A JSON text keeps its quotes: "undefined" is not undefined.
  const auto text = payload.as_string();
  const bool no_json = text && field(rejection, "payload_form") == "text";
  return cat(out, "\nas it was sent, personal values masked:\n",
             no_json ? *text : mapping::pretty(payload.raw()), "\n");
}

std::string list_text(const json::Value& root) {
  std::string out;
  for (const auto& member : root.find("rejections")) {
    out += cat(field(member.value, "id"), "  ", field(member.value, "received_at"), "  ",
               field(member.value, "state"), "  ", field(member.value, "source"), "  ",
               field(member.value, "reason"), "  ", place(member.value), "  ", field(member.value, "detail"),
               "\n");
  }
  return out.empty() ? "the quarantine is empty\n" : out;
}

std::string counts_text(const json::Value& root) {
  std::string out;
  for (const auto& member : root.find("counts")) {
    out += cat(field(member.value, "source"), "  ", field(member.value, "reason"), "  ",
               field(member.value, "open"), " open of ", field(member.value, "total"), "\n");
  }
  return out.empty() ? "the quarantine is empty\n" : out;
}

}  // namespace

absl::Status run_rejections(const RejectionsCommand& command) {
  const auto request = request_of(command);
  if (!request.ok()) return request.status();
  const auto body = call_once(command.where, *request);
  if (!body.ok()) return body.status();
  const auto document = json::Document::parse(*body);
  const bool as_text = !command.json && document.ok();
  if (as_text && command.action == "list") return print(list_text(document->root()));
  if (as_text && command.action == "show") return print(one_text(document->root()));
  if (as_text && command.action == "counts") return print(counts_text(document->root()));
  return print(*body);
}

}  // namespace kehu::command
