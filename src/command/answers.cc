#include "command/answers.h"

#include <cstdio>

#include "base/text.h"
#include "host/runtime.h"
#include "json/document.h"
#include "model/characters.h"

namespace kehu::command {
namespace {

absl::StatusCode code_of(int status) {
  switch (status) {
    case 400:
      return absl::StatusCode::kInvalidArgument;
    case 401:
      return absl::StatusCode::kUnauthenticated;
    case 403:
      return absl::StatusCode::kPermissionDenied;
    case 404:
      return absl::StatusCode::kNotFound;
    case 409:
      return absl::StatusCode::kFailedPrecondition;
    case 429:
    case 503:
      return absl::StatusCode::kUnavailable;
    default:
      return absl::StatusCode::kInternal;
  }
}

// None, and a wrong one, are mended in different ways. What is said of write keys is said by the server.
absl::Status refused(const std::string& detail) {
  if (detail.find("write key") != std::string::npos)
    return failure(absl::StatusCode::kUnauthenticated, detail);
  if (host::environment("KEHU_ADMIN_TOKEN").empty()) {
    return failure(absl::StatusCode::kUnauthenticated,
                   "the server wants its admin token, and KEHU_ADMIN_TOKEN is not "
                   "set: it is what the server was started with, or else what `kehu keys --data DIR` on its "
                   "machine shows");
  }
  return failure(absl::StatusCode::kUnauthenticated,
                 "the server does not know the admin token in KEHU_ADMIN_TOKEN: it is "
                 "another one's, or misspelt. The right one is what the server was started with, or "
                 "else what `kehu keys --data DIR` on its machine shows");
}

}  // namespace

absl::StatusOr<std::string> body_of(const absl::StatusOr<client::Response>& response) {
  if (!response.ok()) return response.status();
  if (response->ok()) return response->body;
  const auto problem = json::Document::parse(response->body);
  const auto detail = problem.ok() ? problem->root().find("detail").as_string() : std::nullopt;
  if (response->status == 401) {
    return refused(detail.value_or(""));
  }
  return failure(code_of(response->status), detail ? *detail : cat("the server answered ", response->status));
}

absl::StatusOr<std::string> call_once(const Where& where, const client::Request& request) {
  auto caller = open_caller({.where = where});
  if (!caller.ok()) return caller.status();
  auto body = body_of((*caller)->call(request));
  if (auto status = (*caller)->close(); body.ok() && !status.ok()) return status;
  return body;
}

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Character character = first_character(text);
    const char32_t point = character.point;
    const bool command = is_control(point) && point != '\n' && point != '\t';
    char escaped[8];
    std::snprintf(escaped, sizeof(escaped), "\\u%04x", static_cast<unsigned>(point & 0xff));
    out += command ? std::string_view(escaped) : text.substr(0, character.bytes);
    text.remove_prefix(character.bytes);
  }
  return out;
}

absl::Status print(const std::string& anybodys) {
  const std::string text = printable(anybodys);
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (text.empty() || text.back() != '\n') std::fputc('\n', stdout);
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return absl::OkStatus();
  return failure(absl::StatusCode::kUnavailable, "standard output cannot be written");
}

}  // namespace kehu::command
