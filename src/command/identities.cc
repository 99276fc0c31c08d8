#include <charconv>

#include "base/text.h"
#include "command/administration.h"
#include "command/answers.h"
#include "http/request.h"
#include "json/document.h"
#include "json/writer.h"

namespace kehu::command {
namespace {

absl::StatusOr<std::string> post(const IdentityCommand& command, std::string path, std::string body) {
  if (command.reason.find_first_not_of(" \t\r\n") == std::string::npos)
    return absl::InvalidArgumentError("say why with --reason: the reason is kept");
  return call_once(command.where,
                   {.method = "POST", .path = std::move(path), .headers = kJson, .body = std::move(body)});
}

absl::Status print_done(const IdentityCommand& command, const absl::StatusOr<std::string>& body,
                        const std::string& sentence) {
  if (!body.ok()) return body.status();
  return print(command.json ? *body : sentence);
}

}  // namespace

absl::Status run_merge(const IdentityCommand& command) {
  std::string body;
  json::Writer(body)
      .begin_object()
      .field("winner", command.customer)
      .field("loser", command.other)
      .field("reason", command.reason)
      .end_object();
  return print_done(command, post(command, "/api/v1/identities/merge", body),
                    cat("merged; `kehu customer ", command.customer, " --view identities` shows the link"));
}

absl::Status run_unmerge(const IdentityCommand& command) {
  uint64_t link = 0;
  const std::string& text = command.other;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), link);
  if (error != std::errc() || end != text.data() + text.size()) {
    return failure(absl::StatusCode::kInvalidArgument, "\"", text,
                   "\" is no number of a link: `kehu customer ", command.customer,
                   " --view identities` lists them as \"record N\"");
  }
  std::string body;
  json::Writer(body)
      .begin_object()
      .field("customer", command.customer)
      .field("link", link)
      .field("reason", command.reason)
      .end_object();
  return print_done(command, post(command, "/api/v1/identities/unmerge", body), "taken apart");
}

absl::Status run_reveal(const IdentityCommand& command) {
  std::string body;
  json::Writer(body)
      .begin_object()
      .field("field", command.other)
      .field("reason", command.reason)
      .end_object();
  const auto answer =
      post(command, cat("/api/v1/customers/", http::percent_encode(command.customer), "/reveal"), body);
  if (!answer.ok()) return answer.status();
  const auto document = json::Document::parse(*answer);
  if (command.json || !document.ok()) return print(*answer);
  std::string out;
  for (const auto& value : document->root().find("values"))
    out += cat(value.value.as_string().value_or(std::string(value.value.raw())), "\n");
  return print(out.empty() ? "the key of this value was dropped: nobody can read it any more" : out);
}

absl::Status run_audit(const IdentityCommand& command) {
  const auto body = call_once(command.where, {.path = "/api/v1/audit"});
  if (!body.ok()) return body.status();
  const auto document = json::Document::parse(*body);
  if (command.json || !document.ok()) return print(*body);
  std::string out;
  for (const auto& entry : document->root().find("reveals")) {
    out += cat(field(entry.value, "time"), "  ", field(entry.value, "customer_id"), "  ",
               field(entry.value, "field"), "  ", field(entry.value, "actor"), "  ",
               field(entry.value, "reason"), "\n");
  }
  return print(out.empty() ? "nobody has looked at a sealed value" : out);
}

}  // namespace kehu::command
