#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "http/problem.h"
#include "http/request.h"

// Where a request begins and ends. Beast parses; what it lets through and another server may read differently
// (the stuff of request smuggling) is refused here.
namespace kehu::server {

// The header of one request, as views into the bytes parsed. Reused between requests to keep its memory.
struct Head {
  std::string_view method;
  std::string_view target;  // origin form ("/path?query"), or "*"
  std::vector<http::Header> headers;
  uint64_t content_length = 0;
  bool chunked = false;
  bool http11 = true;
  bool keep_alive = true;
  bool expects_continue = false;
  bool websocket = false;  // asks for an upgrade to WebSocket
  size_t size = 0;         // bytes, the empty line included

  bool has_body() const { return chunked || content_length > 0; }
};

enum class Verdict : uint8_t { kComplete, kPartial, kRefused };

struct HeadResult {
  Verdict verdict = Verdict::kPartial;
  http::Problem problem = {};  // when refused
};

// Reads a head at the start of `bytes`. `scanned` are the bytes that an earlier partial verdict has seen;
// they are not searched again. A head of more than `limit` bytes is refused (431).
HeadResult parse_head(std::string_view bytes, size_t scanned, size_t limit, Head& head);

}  // namespace kehu::server
