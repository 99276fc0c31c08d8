#include "main/answers.h"

#include <cstdio>

#include "base/text.h"
#include "json/document.h"

namespace kehu {
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

}  // namespace

absl::StatusOr<std::string> body_of(const absl::StatusOr<client::Response>& response) {
  if (!response.ok()) return response.status();
  if (response->ok()) return response->body;
  const auto problem = json::Document::parse(response->body);
  const auto detail = problem.ok() ? problem->root().find("detail").as_string() : std::nullopt;
  if (response->status == 401) {
    return failure(absl::StatusCode::kUnauthenticated,
                   detail ? *detail : std::string("the server refused the credentials"),
                   " (the command line takes the admin token from KEHU_ADMIN_TOKEN)");
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

absl::Status print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (text.empty() || text.back() != '\n') std::fputc('\n', stdout);
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return absl::OkStatus();
  return failure(absl::StatusCode::kUnavailable, "standard output cannot be written");
}

}  // namespace kehu
