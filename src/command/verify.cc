#include <utility>
#include <vector>

#include "base/text.h"
#include "command/administration.h"
#include "command/answers.h"
#include "json/document.h"
#include "json/writer.h"

namespace kehu::command {
namespace {

using Name = std::pair<std::string, std::string>;  // "segment" or "tag", and its name

absl::StatusOr<std::vector<Name>> names(Caller& caller, const std::string& wanted) {
  std::vector<Name> names;
  for (const char* kind : {"segment", "tag"}) {
    const auto body = body_of(caller.call({.path = cat("/api/v1/definitions/", kind)}));
    if (!body.ok()) return body.status();
    const auto document = json::Document::parse(*body);
    if (!document.ok()) return document.status();
    for (const auto& definition : document->root().find("definitions")) {
      std::string name = definition.value.find("name").as_string().value_or("");
      if (wanted.empty() || name == wanted) names.emplace_back(kind, std::move(name));
    }
  }
  if (!names.empty() || wanted.empty()) return names;
  return failure(absl::StatusCode::kNotFound, "there is no segment or tag ", wanted);
}

absl::StatusOr<std::string> compare(Caller& caller, const Name& name) {
  std::string body;
  json::Writer(body).begin_object().field(name.first, name.second).end_object();
  return body_of(caller.call(
      {.method = "POST", .path = "/api/v1/rules/verify", .headers = kJson, .body = std::move(body)}));
}

std::string text_of(const Name& name, const json::Value& root) {
  std::string out = cat(name.first, " ", name.second, ": ");
  if (field(root, "state") != "live") return out + "is being filled in, not compared\n";
  if (root.find("compared").as_bool() == false)
    return cat(out, "not compared: ", field(root, "reason"), "\n");
  const std::string differences = field(root, "differences");
  out += cat(field(root, "live"), " live, ", field(root, "computed"), " computed, ",
             differences == "0" ? "equal" : cat(differences, " different"), " (", field(root, "took_ms"),
             " ms)\n");
  if (const std::string left = field(root, "unexamined"); left != "0") {
    out += cat("  ", left, " more may be different and were not looked at\n");
  }
  for (const auto& one : root.find("examples")) {
    out += cat("  ", field(one.value, "customer_id"), "  live ", field(one.value, "live"), ", computed ",
               field(one.value, "computed"), "\n");
  }
  return out;
}

}  // namespace

absl::Status run_verify(const VerifyCommand& command) {
  auto caller = open_caller({.where = command.where});
  if (!caller.ok()) return caller.status();
  const auto all = names(**caller, command.name);
  if (!all.ok()) return all.status();
  size_t different = 0;
  for (const Name& name : *all) {
    const auto body = compare(**caller, name);
    if (!body.ok()) return body.status();
    const auto document = json::Document::parse(*body);
    if (!document.ok()) return document.status();
    const json::Value root = document->root();
    different +=
        root.find("differences").as_int().value_or(0) > 0 || root.find("unexamined").as_int().value_or(0) > 0;
    if (auto status = print(command.json ? *body : text_of(name, root)); !status.ok()) return status;
  }
  if (auto status = (*caller)->close(); !status.ok()) return status;
  if (different == 0)
    return all->empty() && !command.json ? print("there are no segments or tags\n") : absl::OkStatus();
  return failure(
      absl::StatusCode::kDataLoss, different, " of ", all->size(),
      " are not what the stored events come to: `kehu segment why` shows what decided for a customer");
}

}  // namespace kehu::command
