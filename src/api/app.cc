#include "api/app.h"

#include "api/arrival.h"
#include "api/content_coding.h"
#include "api/cross_origin.h"
#include "api/openapi.h"
#include "api/parameters.h"
#include "api/problem.h"
#include "base/text.h"
#include "engine/credentials.h"
#include "intake/authorization.h"

namespace kehu::api {
namespace {

Hash128 hash_or_none(const seal::ProjectKey& key, const std::string& credential) {
  return credential.empty() ? Hash128{} : engine::credential_hash(key, credential);
}

// The bearer token, or the password or user name of Basic, or of a WebSocket the query parameter, since
// browsers cannot set its headers.
std::string credential_of(const Request& request) {
  if (const auto header = request.header("Authorization")) {
    const auto credential = intake::parse_authorization(*header);
    return credential ? credential->key : std::string();
  }
  const bool upgrade = request.header("Upgrade").has_value();
  return upgrade ? request.query("access_token").value_or("") : std::string();
}

}  // namespace

App::App(engine::Engine& engine, query::Reader& query, AppOptions options)
    : engine_(engine),
      query_(query),
      options_(std::move(options)),
      admin_hashes_{engine::credential_hash(engine.key(), engine::derived_admin_token(engine.key())),
                    hash_or_none(engine.key(), options_.admin_token)},
      write_key_hash_(hash_or_none(engine.key(), options_.write_key)),
      workers_(options_.workers),
      debugger_(engine),
      live_(engine, debugger_) {
  std::vector<Route> routes;
  add_bulk_routes(*this, routes);
  add_segment_routes(*this, routes);
  add_browser_sdk_routes(*this, routes);
  add_rudder_routes(*this, routes);
  add_posthog_routes(*this, routes);
  add_sensors_routes(*this, routes);
  add_cloud_event_routes(*this, routes);
  add_stream_routes(*this, routes);
  add_customer_routes(*this, routes);
  add_identity_routes(*this, routes);
  add_reveal_routes(*this, routes);
  add_debugger_routes(*this, routes);
  add_source_routes(*this, routes);
  add_rejection_routes(*this, routes);
  add_settings_routes(*this, routes);
  add_encryption_key_routes(*this, routes);
  add_sql_routes(*this, routes);
  add_status_routes(*this, routes);
  add_page_routes(*this, routes);
  allow_cross_origin(routes);
  engine_.set_observer([this](const engine::AppliedBatch& batch) {
    debugger_.observe(batch);
    live_.observe(batch);
  });
  router_ = std::make_unique<Router>(
      std::move(routes),
      [this](const Route& route, const Request& request) {
        auto refusal = gate(route, request);
        if (refusal) allow_origin(route, request, *refusal);
        return refusal;
      },
      [this](const Route& route, const Request& request, const Response& response) {
        turned_away(route, request, response);
      });
}

App::~App() {
  engine_.set_observer({});
  stop();
}

std::optional<App::Principal> App::admin(const Request& request) const {
  if (request.local) return Principal{"local"};
  const std::string credential = credential_of(request);
  if (credential.empty()) return std::nullopt;
  // Keyed hashes are compared, not texts: the time of the comparison tells nothing about the token.
  const Hash128 hash = engine::credential_hash(engine_.key(), credential);
  const bool given = !admin_hashes_[1].is_zero();
  if (hash == (given ? admin_hashes_[1] : admin_hashes_[0])) return Principal{"admin"};
  return std::nullopt;
}

const engine::Source* App::source_of(const engine::Project& project, std::string_view write_key) const {
  if (write_key.empty()) return nullptr;
  const Hash128 hash = engine::credential_hash(engine_.key(), write_key);
  if (!write_key_hash_.is_zero() && hash == write_key_hash_) return project.find(SourceId(1));
  return project.source_of_key(hash);
}

std::optional<Response> App::gate(const Route& route, const Request& request) const {
  if (route.access == Access::kAdmin && !admin(request)) {
    Response refused =
        to_response(Problem::unauthorized("send `Authorization: Bearer TOKEN` with the admin token"));
    refused.with("WWW-Authenticate", "Bearer");
    return refused;
  }
  if (const auto problem = unsupported_coding(route, request)) return to_response(*problem);
  // Other paths take what Segment's clients, scrapers and browsers add to their addresses, and preflights
  // what the request behind them has.
  if (!route.pattern.starts_with("/api/") || route.method == Method::kOptions) return std::nullopt;
  if (const auto problem = unknown_parameter(route, request)) return to_response(*problem);
  return std::nullopt;
}

// A developer sees also what never came as far as a decoder, if it names its key where one can see it.
void App::turned_away(const Route& route, const Request& request, const Response& response) {
  if (route.access != Access::kWriteKey) return;
  const auto project = engine_.project();
  const engine::Source* source = source_of(*project, visible_key(request).value_or(""));
  if (source == nullptr) return;
  const std::string why = cat("answered ", response.status, " before its body was read");
  debugger_.refused({.source = *source, .received_at = engine_.clock().now(), .request = &request},
                    {.stage = Stage::kCoding, .why = why}, response);
}

std::string App::openapi() const { return openapi_document(router_->routes()); }

}  // namespace kehu::api
