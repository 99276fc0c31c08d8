#include "gateway/gateway.h"
#include "gateway/stream_channel.h"

namespace kehu::gateway {
namespace {

constexpr size_t kMessageBytes = 1u << 20;

RouteDoc stream_doc() {
  return {
      .summary = "WebSocket: events in, acks out",
      .text =
          "Each text or binary message is an event, an array of events, or lines, as POST /api/v1/events "
          "takes them, of up to 1 MiB. Many may be under way. Answers: {\"ack\": n, \"accepted\": …, "
          "\"repeats\": …, \"conflicts\": …, \"rejected\": …}: everything up to the n-th message is "
          "durable; the counts are those since the ack before. Subprotocol: kehu.stream, beside which "
          "browsers offer kehu.key.KEY. permessage-deflate is understood.",
      .group = "intake",
      .fields = {{FieldDoc::Where::kQuery, "writeKey", "string", "instead of an Authorization header", false},
                 {FieldDoc::Where::kQuery, "source", "string", "name of the source, for administrators",
                  false},
                 {FieldDoc::Where::kQuery, "access_token", "string", "the admin token", false}},
      .answers = {{101, "Switched to WebSocket", ""},
                  {400, "The handshake is not valid", "application/problem+json", "Problem"},
                  {401, "Unknown write key", "application/problem+json", "Problem"},
                  {404, "No source of this name", "application/problem+json", "Problem"},
                  {426, "No WebSocket, or another version", "application/problem+json", "Problem"},
                  {429, "The source sends more than it may", "application/problem+json", "Problem"}}};
}

}  // namespace

void add_stream_routes(Gateway& gateway, std::vector<Route>& routes) {
  routes.push_back(
      {.pattern = "/api/v1/stream",
       .access = Access::kWriteKey,
       .action = LiveUpgrade{
           .open = [&gateway] { return open_stream(gateway); },
           .refuse = [&gateway](const Request& request) { return refuse_stream(gateway, request); },
           .protocol = std::string(kStreamProtocol),
           .message_bytes = kMessageBytes},
       .doc = stream_doc()});
}

}  // namespace kehu::gateway
