#include "server/wire.h"

#include <charconv>

namespace kehu::server {
namespace {

void append_number(size_t number, std::string& out) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

void append_status_line(int status, std::string& out) {
  if (status == 200) {
    out.append("HTTP/1.1 200 OK\r\n");
    return;
  }
  out.append("HTTP/1.1 ");
  append_number(static_cast<size_t>(status), out);
  out.append(" ").append(http::reason_phrase(status)).append("\r\n");
}

void append_value(std::string_view value, std::string& out) {
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    out.push_back((byte < 0x20 && c != '\t') || byte == 0x7f ? ' ' : c);
  }
}

void append_length(const http::Response& response, const WireOptions& options, std::string& out) {
  if (is_bodiless(response.status)) return;
  if (response.source != nullptr) {
    if (options.http11) out.append("Transfer-Encoding: chunked\r\n");
    return;
  }
  out.append("Content-Length: ");
  append_number(response.content().size(), out);
  out.append("\r\n");
}

}  // namespace

void append_chunk_size(size_t bytes, std::string& out) {
  char digits[16];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, bytes, 16).ptr).append("\r\n");
}

bool is_bodiless(int status) { return status < 200 || status == 204 || status == 304; }

void append_head(const http::Response& response, const WireOptions& options, std::string& out) {
  append_status_line(response.status, out);
  out.append(options.date_line);
  if (!response.content_type.empty())
    out.append("Content-Type: ").append(response.content_type).append("\r\n");
  for (const auto& [name, value] : response.headers) {
    append_value(name, out);
    out.append(": ");
    append_value(value, out);
    out.append("\r\n");
  }
  append_length(response, options, out);
  if (options.close) {
    out.append("Connection: close\r\n");
  } else if (options.say_keep_alive) {
    out.append("Connection: keep-alive\r\n");
  }
  out.append("\r\n");
}

}  // namespace kehu::server
