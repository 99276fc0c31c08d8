#include "http/problem.h"

#include "absl/strings/str_cat.h"
#include "json/writer.h"

namespace kehu::http {

Problem Problem::bad_request(std::string code, std::string title, std::string detail) {
  return {.status = 400, .code = std::move(code), .title = std::move(title), .detail = std::move(detail)};
}

Problem Problem::unauthorized(std::string detail) {
  return {.status = 401,
          .code = "unauthorized",
          .title = "Credentials are missing or wrong",
          .detail = std::move(detail)};
}

Problem Problem::forbidden(std::string detail) {
  return {.status = 403,
          .code = "forbidden",
          .title = "These credentials do not allow this",
          .detail = std::move(detail)};
}

Problem Problem::not_found(std::string detail) {
  return {.status = 404, .code = "not_found", .title = "There is no such thing", .detail = std::move(detail)};
}

Problem Problem::too_large(size_t limit_bytes) {
  return {.status = 413,
          .code = "body_too_large",
          .title = "The body is too large",
          .detail = absl::StrCat("this route takes at most ", limit_bytes,
                                 " bytes; send the data in several requests")};
}

Problem Problem::overloaded(std::string detail) {
  return {.status = 503,
          .code = "overloaded",
          .title = "The server is busy",
          .detail = std::move(detail),
          .retry_after_s = 1};
}

Problem Problem::internal(std::string detail) {
  return {.status = 500, .code = "internal", .title = "The server failed", .detail = std::move(detail)};
}

Response to_response(const Problem& problem) {
  Response response{.status = problem.status, .content_type = "application/problem+json"};
  json::Writer writer(response.body);
  writer.begin_object()
      .field("type", absl::StrCat("urn:kehu:problem:", problem.code))
      .field("title", problem.title)
      .field("status", problem.status)
      .field("detail", problem.detail)
      .field("code", problem.code);
  if (!problem.pointer.empty()) writer.field("pointer", problem.pointer);
  if (problem.version > 0) writer.field("version", problem.version);
  if (problem.place.line > 0) {
    writer.field("line", problem.place.line).field("column", problem.place.column);
    writer.field("expected", problem.place.expected).field("suggestion", problem.place.suggestion);
  }
  writer.field("message", problem.detail).end_object();
  if (problem.retry_after_s > 0) response.with("Retry-After", absl::StrCat(problem.retry_after_s));
  return response;
}

Problem problem_of(const absl::Status& status) {
  std::string detail(status.message());
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return Problem::bad_request("invalid_argument", "The request is not valid", std::move(detail));
    case absl::StatusCode::kUnauthenticated:
      return Problem::unauthorized(std::move(detail));
    case absl::StatusCode::kPermissionDenied:
      return Problem::forbidden(std::move(detail));
    case absl::StatusCode::kNotFound:
      return Problem::not_found(std::move(detail));
    case absl::StatusCode::kAlreadyExists:
      return {
          .status = 409, .code = "already_exists", .title = "It exists already", .detail = std::move(detail)};
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAborted:
      return {.status = 409,
              .code = "conflict",
              .title = "The state does not allow this",
              .detail = std::move(detail)};
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kUnavailable:
      return Problem::overloaded(std::move(detail));
    case absl::StatusCode::kUnimplemented:
      return {.status = 501,
              .code = "not_implemented",
              .title = "The server cannot do this",
              .detail = std::move(detail)};
    case absl::StatusCode::kDeadlineExceeded:
      return {.status = 504, .code = "timeout", .title = "It took too long", .detail = std::move(detail)};
    default:
      return Problem::internal(std::move(detail));
  }
}

Response to_answer(absl::StatusOr<Response> answer) {
  return answer.ok() ? *std::move(answer) : to_response(problem_of(answer.status()));
}

}  // namespace kehu::http
