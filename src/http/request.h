#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/types/span.h"
#include "http/principal.h"
#include "model/rejection.h"
#include "trace/span.h"

namespace kehu::http {

enum class Method : uint8_t { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions };
inline constexpr Method kMethods[] = {Method::kGet,   Method::kHead,   Method::kPost,   Method::kPut,
                                      Method::kPatch, Method::kDelete, Method::kOptions};
std::string_view to_string(Method method);
std::optional<Method> parse_method(std::string_view name);  // upper case, as on the wire

struct Header {
  std::string_view name;
  std::string_view value;
};

// What a ":name" or "*name" of a route's pattern stands for, escapes as sent.
struct PathParameter {
  std::string_view name;
  std::string_view value;
};
using PathParameters = absl::InlinedVector<PathParameter, 4>;

// One request, as views into a connection's buffer: valid only during the handler's call. What is needed
// later (another thread, after a wait) is copied out by the handler.
struct Request {
  Method method = Method::kGet;
  std::string_view target = {};  // path and query as sent; every % escape in it is known to be well formed
  absl::Span<const Header> headers = {};
  std::string_view body = {};    // empty on streaming routes
  std::string_view remote = {};  // the peer's address without port; "unix" for a unix-domain socket
  // Came over the unix-domain socket, which only the owner of the data directory can open: an admin.
  bool local = false;
  // Came over TLS that ends here.
  bool secure = false;
  PathParameters parameters = {};
  std::string_view route = {};  // pattern of its route, which outlives it; empty: none was looked for
  Protocol protocol = Protocol::kEvents;  // of that route
  // Who sends it, as the gate found; nullptr: nobody was asked for, or it was a write key.
  std::shared_ptr<const Principal> principal = {};
  // Where what is done for it is recorded; empty, as mostly, when it is not.
  trace::Link trace = {};

  std::string_view path() const { return target.substr(0, target.find('?')); }
  std::string_view query_string() const;

  // First header of the name, in any case; nullopt when there is none.
  std::optional<std::string_view> header(std::string_view name) const;
  // Value of the first query parameter of the name, decoded ('+' is a space); nullopt when there is none.
  std::optional<std::string> query(std::string_view name) const;
  // All of them, in order.
  std::vector<std::pair<std::string, std::string>> query_parameters() const;
  // Decoded; the route must declare the name.
  std::string parameter(std::string_view name) const;
};

// Of ASCII letters only, as header names are compared.
bool equals_ignore_case(std::string_view a, std::string_view b);

// True when every '%' is followed by two hexadecimal digits and none stands for a NUL.
bool valid_escapes(std::string_view text);

enum class PlusSign : uint8_t { kLiteral, kSpace };
// Malformed escapes stay as they are.
std::string percent_decode(std::string_view text, PlusSign plus = PlusSign::kLiteral);
// Everything but letters, digits and "-._~" is escaped: for one path segment or query value.
std::string percent_encode(std::string_view text);

}  // namespace kehu::http
