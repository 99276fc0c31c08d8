#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/problem.h"
#include "http/request.h"

// The opening handshake of a WebSocket (RFC 6455, 4.2), without sockets.
namespace kehu::websocket {

struct Upgrade {
  std::string answer;    // the whole 101
  bool deflate = false;  // permessage-deflate was agreed on, for what the client sends
};

// The answer to a request that is known to ask for an upgrade. `protocol` is chosen when the client offers
// it. `refusal` is set instead when the request is wrong.
Upgrade make_upgrade(const http::Request& request, std::string_view protocol,
                     std::optional<http::Response>& refusal);

// What is answered to Sec-WebSocket-Extensions: the first offer of permessage-deflate (RFC 7692, 7.1) whose
// parameters are all valid; nullopt when there is none. Our own messages are never compressed, so whatever is
// asked of the server's side is promised.
std::optional<std::string> accept_deflate(std::string_view offers);

}  // namespace kehu::websocket
