#include "websocket/handshake.h"

#include <algorithm>
#include <boost/beast/websocket/detail/hybi13.hpp>
#include <utility>  // Asio 1.74 forgets it

#include "absl/strings/escaping.h"
#include "base/text.h"

namespace kehu::websocket {
namespace {

constexpr size_t kKeyBytes = 16;

// Cuts the first item of a list off.
std::string_view take_item(std::string_view& list, char separator) {
  const size_t end = list.find(separator);
  const std::string_view item = trimmed(list.substr(0, end));
  list = end == list.npos ? std::string_view() : list.substr(end + 1);
  return item;
}

http::Response malformed(std::string detail) {
  return to_response(http::Problem::bad_request("malformed_upgrade", "The WebSocket handshake is not valid",
                                                std::move(detail)));
}

bool is_key(std::string_view text) {
  std::string bytes;
  return text.size() == 24 && absl::Base64Unescape(absl::string_view(text.data(), text.size()), &bytes) &&
         bytes.size() == kKeyBytes;
}

size_t count_of(const http::Request& request, std::string_view name) {
  return static_cast<size_t>(std::count_if(
      request.headers.begin(), request.headers.end(),
      [name](const http::Header& header) { return http::equals_ignore_case(header.name, name); }));
}

std::optional<http::Response> judge(const http::Request& request) {
  if (trimmed(request.header("Sec-WebSocket-Version").value_or("")) != "13") {
    return to_response(http::Problem{.status = 426,
                                     .code = "websocket_version",
                                     .title = "The version of WebSocket is not supported",
                                     .detail = "use version 13 (RFC 6455)"})
        .with("Upgrade", "websocket")
        .with("Sec-WebSocket-Version", "13");
  }
  if (count_of(request, "Sec-WebSocket-Key") != 1 || !is_key(trimmed(*request.header("Sec-WebSocket-Key")))) {
    return malformed("Sec-WebSocket-Key is not 16 bytes in base64");
  }
  return std::nullopt;
}

bool offers(const http::Request& request, std::string_view protocol) {
  for (const http::Header& header : request.headers) {
    if (!http::equals_ignore_case(header.name, "Sec-WebSocket-Protocol")) continue;
    for (std::string_view rest = header.value; !rest.empty();) {
      if (take_item(rest, ',') == protocol) return true;
    }
  }
  return false;
}

std::string extension_offers(const http::Request& request) {
  std::string all;
  for (const http::Header& header : request.headers) {
    if (!http::equals_ignore_case(header.name, "Sec-WebSocket-Extensions")) continue;
    if (!all.empty()) all += ", ";
    all += header.value;
  }
  return all;
}

std::string_view unquoted(std::string_view value) {
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
    return value.substr(1, value.size() - 2);
  return value;
}

// 8 to 15 without leading zeros.
bool is_window_bits(std::string_view value) {
  return value == "8" || value == "9" ||
         (value.size() == 2 && value[0] == '1' && value[1] >= '0' && value[1] <= '5');
}

// The parameters of one offer. False when one is unknown, wrong or there twice. Our own frames are never
// compressed, so to promise no context takeover and a window of any size costs nothing.
bool answer_offer(std::string_view parameters, std::string& answer) {
  enum : unsigned { kServerContext = 1, kClientContext = 2, kServerBits = 4, kClientBits = 8 };
  unsigned seen = 0;
  answer = "permessage-deflate; server_no_context_takeover";
  while (!parameters.empty()) {
    std::string_view value = take_item(parameters, ';');
    const bool has_value = value.find('=') != value.npos;
    const std::string_view name = take_item(value, '=');
    value = unquoted(trimmed(value));
    unsigned bit = 0;
    if (name == "server_no_context_takeover" && !has_value) bit = kServerContext;
    if (name == "client_no_context_takeover" && !has_value) bit = kClientContext;
    if (name == "server_max_window_bits" && has_value && is_window_bits(value)) bit = kServerBits;
    if (name == "client_max_window_bits" && (!has_value || is_window_bits(value))) bit = kClientBits;
    if (bit == 0 || (seen & bit) != 0) return false;
    seen |= bit;
    if (bit == kServerBits) answer.append("; server_max_window_bits=").append(value);
  }
  return true;
}

}  // namespace

std::optional<std::string> accept_deflate(std::string_view offers) {
  while (!offers.empty()) {
    std::string_view offer = take_item(offers, ',');
    if (take_item(offer, ';') != "permessage-deflate") continue;
    std::string answer;
    if (answer_offer(offer, answer)) return answer;
  }
  return std::nullopt;
}

Upgrade make_upgrade(const http::Request& request, std::string_view protocol,
                     std::optional<http::Response>& refusal) {
  refusal = judge(request);
  if (refusal) return {};
  const std::string_view key = trimmed(*request.header("Sec-WebSocket-Key"));
  namespace detail = boost::beast::websocket::detail;
  detail::sec_ws_accept_type accept;
  detail::make_sec_ws_accept(accept, {key.data(), key.size()});
  Upgrade upgrade;
  upgrade.answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
  upgrade.answer.append("Sec-WebSocket-Accept: ").append(accept.data(), accept.size()).append("\r\n");
  if (!protocol.empty() && offers(request, protocol)) {
    upgrade.answer.append("Sec-WebSocket-Protocol: ").append(protocol).append("\r\n");
  }
  if (const auto deflate = accept_deflate(extension_offers(request))) {
    upgrade.answer.append("Sec-WebSocket-Extensions: ").append(*deflate).append("\r\n");
    upgrade.deflate = true;
  }
  upgrade.answer.append("\r\n");
  return upgrade;
}

}  // namespace kehu::websocket
