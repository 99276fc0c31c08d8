#pragma once

#include <string>
#include <string_view>

#include "http/response.h"

namespace kehu::server {

struct WireOptions {
  std::string_view date_line;  // "Date: …\r\n"
  bool head_only = false;      // HEAD: the length is told, the content left away
  bool close = false;
  bool http11 = true;           // false: a body of unknown length ends with the connection
  bool say_keep_alive = false;  // to HTTP/1.0 clients
};

// Appends status line and header fields. Control characters in header values become spaces.
void append_head(const http::Response& response, const WireOptions& options, std::string& out);

// The line before a chunk of a body in chunked transfer coding. Behind its bytes comes a line end.
void append_chunk_size(size_t bytes, std::string& out);

// True when the status has no content by definition (1xx, 204, 304).
bool is_bodiless(int status);

}  // namespace kehu::server
