#pragma once

#include <optional>
#include <string>

#include "http/request.h"

// What a request shows of who sends it; whether it opens anything, others know.
namespace kehu::http {

// The bearer token, or of a WebSocket the query parameter, since browsers cannot set its headers. Empty
// without any.
std::string bearer_of(const Request& request);

// The write key of a request's headers or query; nullopt when it can only be in the body.
std::optional<std::string> write_key_of(const Request& request);

// The key that a request names in its header or its address, whatever the protocol; nullopt when it can only
// be in the body.
std::optional<std::string> visible_key(const Request& request);

}  // namespace kehu::http
