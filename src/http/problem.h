#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "http/response.h"

namespace kehu::http {

// An error answer (RFC 9457). `code` is stable: clients compare it. `detail` says what happened, to what, and
// what to do; it never holds values of personal fields.
struct Problem {
  int status = 500;
  std::string code = {};   // "body_too_large"
  std::string title = {};  // the same for every problem of the code: "The body is too large"
  std::string detail = {};
  std::string pointer = {};  // JSON Pointer (RFC 6901) into the request's body; empty: none
  int retry_after_s = 0;     // > 0: sent as Retry-After
  uint64_t version = 0;      // > 0: of what is there now, where a change came too late
  // Of a text that could not be read: where, from 1; what could stand there, and what was probably meant.
  struct TextPlace {
    uint32_t line = 0;  // 0: it is no text
    uint32_t column = 0;
    std::string expected = {};
    std::string suggestion = {};
  };
  TextPlace place = {};

  static Problem bad_request(std::string code, std::string title, std::string detail);
  static Problem unauthorized(std::string detail);  // 401
  static Problem forbidden(std::string detail);     // 403
  static Problem not_found(std::string detail);     // 404
  static Problem too_large(size_t limit_bytes);     // 413
  static Problem overloaded(std::string detail);    // 503 with Retry-After: 1
  static Problem internal(std::string detail);      // 500
};

// {"type", "title", "status", "detail", "code", "pointer", "version", "message"} as application/problem+json.
// `message` repeats the detail: SDKs of the Segment kind read `code` and `message` from every error.
Response to_response(const Problem& problem);

// The problem a failed call becomes: its code names the status (kNotFound → 404, kInvalidArgument → 400,
// kUnavailable and kResourceExhausted → 503, kFailedPrecondition and kAlreadyExists → 409 …), its message is
// the detail.
Problem problem_of(const absl::Status& status);

// The answer, or the problem that a failed call becomes.
Response to_answer(absl::StatusOr<Response> answer);

}  // namespace kehu::http
