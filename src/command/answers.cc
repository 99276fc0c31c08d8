#include "command/answers.h"

#include <algorithm>
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

// Bytes of a text without the character that its end cuts in two, if it does.
size_t whole_characters(std::string_view text) {
  for (size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xc0) == 0x80) continue;
    const size_t bytes = byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return bytes > back ? text.size() - back : text.size();
  }
  return text.size();
}

absl::Status written(bool all) {
  if (all) return absl::OkStatus();
  return failure(absl::StatusCode::kUnavailable, "standard output cannot be written");
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

std::string field(const json::Value& value, std::string_view name) {
  const json::Value found = value.find(name);
  return found.as_string().value_or(std::string(found.raw()));
}

// Most texts are printable as they are, and most of all others for long stretches.
std::string printable(std::string_view text) {
  const auto is_plain = [](char c) { return (c >= ' ' && c <= '~') || c == '\n' || c == '\t'; };
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto plain = static_cast<size_t>(std::ranges::find_if_not(text, is_plain) - text.begin());
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const Character character = first_character(text);
    const char32_t point = character.point;
    if (is_control(point) && point != '\n' && point != '\t') {
      char escaped[8];
      std::snprintf(escaped, sizeof(escaped), "\\u%04x", static_cast<unsigned>(point & 0xff));
      out += escaped;
    } else {
      out += text.substr(0, character.bytes);
    }
    text.remove_prefix(character.bytes);
  }
  return out;
}

absl::Status Printer::add(std::string_view piece) {
  held_ += piece;
  const size_t whole = whole_characters(held_);
  const std::string text = printable(std::string_view(held_).substr(0, whole));
  held_.erase(0, whole);
  if (text.empty()) return absl::OkStatus();
  last_ = text.back();
  return written(std::fwrite(text.data(), 1, text.size(), stdout) == text.size());
}

absl::Status Printer::end() {
  const std::string rest = printable(held_);
  std::fwrite(rest.data(), 1, rest.size(), stdout);
  if (!rest.empty() || last_ != '\n') std::fputc('\n', stdout);
  return written(std::fflush(stdout) == 0 && std::ferror(stdout) == 0);
}

absl::Status print(const std::string& text) {
  Printer printer;
  if (absl::Status status = printer.add(text); !status.ok()) return status;
  if (text.empty()) std::fputc('\n', stdout);
  return printer.end();
}

}  // namespace kehu::command
