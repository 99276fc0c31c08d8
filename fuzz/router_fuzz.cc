// Any bytes as the target of a request: routing and lookups neither crash nor disagree with each other.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "http/router.h"

namespace {

using kehu::http::Method;
using kehu::http::Request;
using kehu::http::Route;
using kehu::http::Router;

const Router& router() {
  static const Router router = [] {
    std::vector<Route> routes;
    for (const char* pattern : {"/", "/a", "/a/b", "/a/:id", "/a/:id/c", "/:x/:y/:z", "/files/*path"}) {
      routes.push_back({.method = Method::kGet, .pattern = pattern});
      routes.push_back({.method = Method::kPost, .pattern = pattern});
    }
    return Router(std::move(routes));
  }();
  return router;
}

void check_route(std::string_view target) {
  Request request{.method = Method::kGet, .target = target};
  Router::Match match = router().find(Method::kGet, request.path());
  KEHU_CHECK((router().find(Method::kHead, request.path()).route == match.route));
  const Router::Match other = router().find(Method::kDelete, request.path());
  KEHU_CHECK(other.route == nullptr && other.allow.empty() == (match.route == nullptr));
  if (match.route == nullptr) return;
  request.parameters = std::move(match.parameters);
  for (const auto& parameter : request.parameters) request.parameter(parameter.name);
}

void check_query(std::string_view target) {
  const Request request{.target = target};
  for (const auto& [name, value] : request.query_parameters()) KEHU_CHECK(request.query(name).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view target(reinterpret_cast<const char*>(data), size);
  check_query(target);
  if (kehu::http::valid_escapes(target)) check_route(target);
  const std::string escaped = kehu::http::percent_encode(target);
  KEHU_CHECK(kehu::http::percent_decode(escaped) == target);
  return 0;
}
