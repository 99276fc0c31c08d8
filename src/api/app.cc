#include "api/app.h"

#include <algorithm>

#include "base/check.h"
#include "base/text.h"
#include "codec/record.h"
#include "http/content_coding.h"
#include "http/credentials.h"
#include "http/cross_origin.h"
#include "http/parameters.h"
#include "http/problem.h"
#include "openapi/document.h"

namespace kehu::api {
namespace {

constexpr std::string_view kNoSuchKey =
    "the write key is missing or unknown: send it as the user name of Basic authorization or as `writeKey`";

// What administrators are answered is of customers, and stays in no cache.
void keep_out_of_caches(std::vector<Route>& routes) {
  for (Route& route : routes) {
    if (route.access != Access::kAdmin) continue;
    const auto keep_out = [](Handler& handle) {
      handle = [inner = std::move(handle)](const Request& request, Responder responder) {
        responder.decorate([](Response& response) { response.with("Cache-Control", "no-store"); });
        inner(request, std::move(responder));
      };
    };
    if (auto* plain = std::get_if<NoBody>(&route.action)) keep_out(plain->handle);
    if (auto* buffered = std::get_if<BufferedBody>(&route.action)) keep_out(buffered->handle);
  }
}

}  // namespace

App::App(engine::Engine& engine, query::Reader& query, AppOptions options)
    : engine_(engine),
      query_(query),
      options_(std::move(options)),
      gateway_(engine, {.admin_token = options_.admin_token,
                        .write_key = options_.write_key,
                        .workers = options_.workers,
                        .warn = options_.warn}),
      timelines_(options_.workers),
      statements_(options_.workers),
      readers_(options_.workers),
      live_(engine, gateway_.debugger()),
      backfill_(std::make_unique<backfill::Backfill>(engine, query,
                                                     [this](std::string_view text) {
                                                       if (options_.warn) options_.warn(text);
                                                     })),
      survey_(std::make_unique<survey::Survey>(engine, query, [this](std::string_view text) {
        if (options_.warn) options_.warn(text);
      })) {
  std::vector<Route> routes;
  gateway::add_bulk_routes(gateway_, routes);
  gateway::add_segment_routes(gateway_, routes);
  add_browser_sdk_routes(*this, routes);
  gateway::add_rudder_routes(gateway_, routes);
  gateway::add_posthog_routes(gateway_, routes);
  gateway::add_sensors_routes(gateway_, routes);
  gateway::add_cloud_event_routes(gateway_, routes);
  gateway::add_stream_routes(gateway_, routes);
  add_customer_routes(*this, routes);
  add_identity_routes(*this, routes);
  add_reveal_routes(*this, routes);
  add_debugger_routes(*this, routes);
  add_definition_routes(*this, routes);
  add_outbox_routes(*this, routes);
  add_source_routes(*this, routes);
  add_rule_routes(*this, routes);
  add_import_routes(*this, routes);
  add_rejection_routes(*this, routes);
  add_settings_routes(*this, routes);
  add_encryption_key_routes(*this, routes);
  add_sql_routes(*this, routes);
  add_backup_routes(*this, routes);
  add_backfill_routes(*this, routes);
  add_status_routes(*this, routes);
  add_webhook_routes(*this, routes);
  add_list_routes(*this, routes);
  add_page_routes(*this, routes);
  for (const Route& route : routes) {
    KEHU_CHECK(route.access != Access::kAdmin || route.permission != Permission::kNone);
  }
  allow_cross_origin(routes);
  keep_out_of_caches(routes);
  router_ = std::make_unique<Router>(
      std::move(routes),
      [this](const Route& route, const Request& request) {
        Admission admission = gate(route, request);
        if (admission.refusal) allow_origin(route, request, *admission.refusal);
        return admission;
      },
      [this](const Route* route, const Request& request, const Response& response) {
        turned_away(route, request, response);
      });
}

App::~App() { stop(); }

// Looks that wait may ask for it until the engine ends.
document::FillingPace App::filling_pace() const {
  const backfill::Pace pace = backfill_->pace();
  return {.events_per_second = pace.events_per_second,
          .parts_per_second = pace.parts_per_second,
          .trouble = backfill_->trouble()};
}

void App::stop() {
  survey_.reset();
  backfill_->stop();
  timelines_.stop();
  statements_.stop();
  readers_.stop();
  workers().stop();
}

Admission App::gate(const Route& route, const Request& request) {
  Admission admission;
  if (route.access == Access::kAdmin) admission = check_admin(route, request);
  if (route.access == Access::kWriteKey) admission = check_key(route, request);
  if (route.access == Access::kPublic) admission.keyless = true;
  if (admission.refusal) return admission;
  if (const auto problem = unsupported_coding(route, request)) return {.refusal = to_response(*problem)};
  // Other paths take what Segment's clients, scrapers and browsers add to their addresses, and preflights
  // what the request behind them has.
  if (!route.pattern.starts_with("/api/") || route.method == Method::kOptions) return admission;
  if (const auto problem = unknown_parameter(route, request)) return {.refusal = to_response(*problem)};
  return admission;
}

Admission App::check_admin(const Route& route, const Request& request) {
  if (comes_from_another_site(request)) {
    return {.refusal = to_response(Problem::forbidden(
                "a page of another site sent this: administrators' requests come from Kehu's own page or "
                "from no browser"))};
  }
  const Instant now = engine_.clock().now();
  if (const int wait = request.local ? 0 : strangers().wait_for_token(request.remote, now); wait > 0) {
    return {.refusal = to_response({.status = 429,
                                    .code = "too_many_wrong_tokens",
                                    .title = "Too many wrong admin tokens",
                                    .detail = "this address named too many wrong tokens; wait a minute",
                                    .retry_after_s = wait})};
  }
  if (auto principal = admin(request)) {
    if (principal->may(route.permission)) return {.principal = std::move(principal)};
    return {.refusal = to_response(Problem::forbidden(
                cat(principal->name, " lacks the permission ", to_string(route.permission))))};
  }
  if (!bearer_of(request).empty()) strangers().wrong_token(request.remote, now);
  Response refused =
      to_response(Problem::unauthorized("send `Authorization: Bearer TOKEN` with the admin token"));
  refused.with("WWW-Authenticate", "Bearer");
  return {.refusal = std::move(refused)};
}

// A key that can be seen is looked at before anything else of the request is read.
Admission App::check_key(const Route& route, const Request& request) const {
  const auto project = engine_.project();
  const auto opens = [&](const std::optional<std::string>& key) {
    return key && source_of(*project, *key) != nullptr;
  };
  const auto key = write_key_of(request);
  if (opens(key)) return {};
  bool known = false;
  bool named = key.has_value();
  if (route.key == KeyPlace::kCandidate) {
    known = opens(request.query("token")) || opens(request.query("project"));
    named = named || request.query("token").has_value();
  }
  if (route.key == KeyPlace::kOutside && !key) {
    known = admin(request) != nullptr;
    named = true;
  }
  // Other routes have no body to speak of, or ask themselves before they read it.
  const bool refused = named && !known && std::holds_alternative<BufferedBody>(route.action);
  if (!refused) return {.keyless = !known};
  return {.refusal = refused_by(route, Problem::unauthorized(std::string(kNoSuchKey)))};
}

// A developer sees also what never came as far as a decoder, if it names its key where one can see it.
void App::turned_away(const Route* route, const Request& request, const Response& response) {
  const auto project = engine_.project();
  const engine::Source* source = source_of(*project, visible_key(request).value_or(""));
  const bool lost = route == nullptr && request.method != Method::kGet && request.method != Method::kHead;
  if (source == nullptr) {
    const bool unknown = response.status == 401 || response.status == 403;
    if (lost || unknown)
      strangers().note(request, response.status, *project->settings(), engine_.clock().now());
    return;
  }
  if (route != nullptr && route->access != Access::kWriteKey) return;
  const std::string why = route == nullptr ? cat("answered ", response.status,
                                                 ": nothing is served at this path with this method")
                                           : cat("answered ", response.status, " before its body was read");
  gateway_.debugger().refused(
      {.source = *source, .received_at = engine_.clock().now(), .request = &request},
      {.stage = route == nullptr ? debugger::Stage::kRoute : debugger::Stage::kCoding, .why = why}, response);
}

std::string App::openapi() const { return openapi::document(router_->routes()); }

}  // namespace kehu::api
