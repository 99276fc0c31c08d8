#pragma once

#include <memory>
#include <optional>
#include <string>

#include "gateway/gateway.h"
#include "http/live_channel.h"

namespace kehu::gateway {

// Events over one WebSocket. Each message is a body as POST /api/v1/events takes it: an event, an array of
// events, or lines. When everything up to the n-th message is durable, the client hears
//
//   {"ack": n, "accepted": …, "repeats": …, "conflicts": …, "rejected": …}
//
// with what was counted since the ack before. One ack may stand for many messages; acks come in order. At
// most 1 MiB of a client's events waits for the log, then it is held back. A failure is told by
// {"error": code, "detail": …} and closes: what has no ack is to be sent again.
std::unique_ptr<LiveChannel> open_stream(Gateway& gateway);

// 401 and the like, before the connection is upgraded.
std::optional<Response> refuse_stream(Gateway& gateway, const Request& request);

// The subprotocol, chosen when offered. Browsers, which cannot set headers, offer the write key beside it, as
// "kehu.key.KEY".
inline constexpr std::string_view kStreamProtocol = "kehu.stream";

}  // namespace kehu::gateway
