#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"

namespace kehu::http {

class BodySource;

// What a handler answers. Length, date and connection headers are the server's business, and so is leaving
// the body away for HEAD, 204 and 304.
struct Response {
  int status = 200;
  std::string_view content_type = {};  // a literal; empty: no Content-Type
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  // Bytes that outlive the server (a literal, a compiled-in asset), sent instead of `body` without a copy.
  std::string_view fixed_body = {};
  // The body goes on behind `body`, by what this gives. Its length is not known before (http/responder.h).
  std::shared_ptr<BodySource> source = {};
  // Close the connection behind this answer.
  bool close = false;

  std::string_view content() const { return fixed_body.empty() ? std::string_view(body) : fixed_body; }

  Response& with(std::string name, std::string value) {
    headers.emplace_back(std::move(name), std::move(value));
    return *this;
  }

  static Response json(std::string body, int status = 200) {
    return {.status = status, .content_type = "application/json", .body = std::move(body)};
  }
  static Response text(std::string body, int status = 200) {
    return {.status = status, .content_type = "text/plain; charset=utf-8", .body = std::move(body)};
  }
  static Response fixed(std::string_view content_type, std::string_view bytes, int status = 200) {
    return {.status = status, .content_type = content_type, .fixed_body = bytes};
  }
  static Response no_content() { return {.status = 204}; }
};

// The reason phrase of a status code ("Not Found"); "Unknown" for others.
std::string_view reason_phrase(int status);

}  // namespace kehu::http
