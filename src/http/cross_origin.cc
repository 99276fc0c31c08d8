#include "http/cross_origin.h"

#include <set>
#include <string>
#include <type_traits>

namespace kehu::http {
namespace {

bool is_open(const Route& route) { return route.doc.group == "intake"; }

// An Origin is echoed, not "*": a page that sends credentials (sendBeacon always does) cannot read an answer
// to everybody. There is nothing to protect: no cookie opens these routes.
void add_headers(std::string_view origin, Response& response) {
  response.with("Access-Control-Allow-Origin", std::string(origin))
      .with("Access-Control-Allow-Credentials", "true")
      .with("Access-Control-Expose-Headers", "Retry-After")
      .with("Vary", "Origin");
}

void answer_preflight(const Request& request, Responder responder) {
  Response response = Response::no_content();
  if (const auto origin = request.header("Origin")) {
    add_headers(*origin, response);
    response.with("Access-Control-Allow-Methods", "GET, POST, OPTIONS");
    response.with("Access-Control-Max-Age", "86400");
    if (const auto asked = request.header("Access-Control-Request-Headers")) {
      response.with("Access-Control-Allow-Headers", std::string(*asked));
    }
    if (request.header("Access-Control-Request-Private-Network")) {
      response.with("Access-Control-Allow-Private-Network", "true");
    }
  }
  responder.send(std::move(response));
}

// Works for handlers of both kinds, whole bodies and streams.
template <class Handle>
Handle opened(Handle handle) {
  return [handle = std::move(handle)](const Request& request, Responder responder) {
    if (const auto origin = request.header("Origin")) {
      responder.decorate(
          [origin = std::string(*origin)](Response& response) { add_headers(origin, response); });
    }
    return handle(request, std::move(responder));
  };
}

}  // namespace

bool comes_from_another_site(const Request& request) {
  if (request.local) return false;
  const std::string_view site = request.header("Sec-Fetch-Site").value_or("");
  if (site == "same-origin" || site == "none") return false;
  // A WebSocket and a page behind a proxy that renames the host show by the header that does not lie.
  if (site == "cross-site" || site == "same-site") return true;
  const auto origin = request.header("Origin");
  if (!origin) return false;
  const size_t host = origin->find("://");
  if (host == std::string_view::npos) return true;  // "null"
  return !equals_ignore_case(origin->substr(host + 3), request.header("Host").value_or(""));
}

void allow_origin(const Route& route, const Request& request, Response& response) {
  const auto origin = request.header("Origin");
  if (origin && is_open(route)) add_headers(*origin, response);
}

void allow_cross_origin(std::vector<Route>& routes) {
  std::set<std::string> paths;
  for (Route& route : routes) {
    if (!is_open(route)) continue;
    paths.insert(route.pattern);
    std::visit(
        [](auto& action) {
          if constexpr (requires { action.handle; }) action.handle = opened(std::move(action.handle));
        },
        route.action);
  }
  for (const std::string& path : paths) {
    routes.push_back(
        {.method = Method::kOptions,
         .pattern = path,
         .access = Access::kPublic,
         .action = NoBody{answer_preflight},
         .doc = {.summary = "CORS preflight", .group = "preflight", .answers = {{204, "Go on"}}}});
  }
}

}  // namespace kehu::http
