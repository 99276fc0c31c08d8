#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/debugger.h"
#include "api/live_feed.h"
#include "api/rate_limits.h"
#include "api/router.h"
#include "api/workers.h"
#include "engine/engine.h"
#include "query/session.h"

namespace kehu::api {

struct AppOptions {
  // Accepted besides the derived ones when set (KEHU_ADMIN_TOKEN, KEHU_WRITE_KEY).
  std::string admin_token = {};
  std::string write_key = {};
  int workers = 2;
  // Lines of /metrics that other rooms contribute (the server's connections).
  std::function<void(std::string&)> more_metrics = {};
};

// Everything that Kehu answers, over one engine: the routes of intake, customers, identities, sources,
// rejections, settings, SQL, live feed and health. Sockets are elsewhere; a test or the command line may call
// routes directly. Thread-safe. The engine outlives it.
class App {
 public:
  App(engine::Engine& engine, query::Reader& query, AppOptions options);
  ~App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  const Router& router() const { return *router_; }
  engine::Engine& engine() { return engine_; }
  query::Reader& query() { return query_; }
  Workers& workers() { return workers_; }
  LiveFeed& live() { return live_; }
  Debugger& debugger() { return debugger_; }
  RateLimits& limits() { return limits_; }
  // What browser SDKs report about themselves (POST /v1/m).
  std::atomic<uint64_t>& sdk_reports() { return sdk_reports_; }
  const AppOptions& options() const { return options_; }

  // Who calls, if the credentials are good. Users and roles will be told apart here.
  struct Principal {
    std::string name;
  };
  std::optional<Principal> admin(const Request& request) const;
  // The enabled source a write key opens, in the given state of the project.
  const engine::Source* source_of(const engine::Project& project, std::string_view write_key) const;

  // Stops the workers; what waits is answered 503.
  void stop() { workers_.stop(); }

  std::string openapi() const;
  std::string metrics();

 private:
  std::optional<Response> gate(const Route& route, const Request& request) const;
  void turned_away(const Route& route, const Request& request, const Response& response);

  engine::Engine& engine_;
  query::Reader& query_;
  AppOptions options_;
  Hash128 admin_hashes_[2];
  Hash128 write_key_hash_;
  Workers workers_;
  Debugger debugger_;
  LiveFeed live_;
  RateLimits limits_;
  std::atomic<uint64_t> sdk_reports_{0};
  std::unique_ptr<Router> router_;
};

// One function per file of routes; each appends its lines to the table.
void add_bulk_routes(App& app, std::vector<Route>& routes);
void add_segment_routes(App& app, std::vector<Route>& routes);
void add_browser_sdk_routes(App& app, std::vector<Route>& routes);
void add_rudder_routes(App& app, std::vector<Route>& routes);
void add_posthog_routes(App& app, std::vector<Route>& routes);
void add_sensors_routes(App& app, std::vector<Route>& routes);
void add_cloud_event_routes(App& app, std::vector<Route>& routes);
void add_stream_routes(App& app, std::vector<Route>& routes);
void add_customer_routes(App& app, std::vector<Route>& routes);
void add_identity_routes(App& app, std::vector<Route>& routes);
void add_reveal_routes(App& app, std::vector<Route>& routes);
void add_debugger_routes(App& app, std::vector<Route>& routes);
void add_source_routes(App& app, std::vector<Route>& routes);
void add_rejection_routes(App& app, std::vector<Route>& routes);
void add_settings_routes(App& app, std::vector<Route>& routes);
void add_encryption_key_routes(App& app, std::vector<Route>& routes);
void add_sql_routes(App& app, std::vector<Route>& routes);
void add_status_routes(App& app, std::vector<Route>& routes);
void add_page_routes(App& app, std::vector<Route>& routes);

}  // namespace kehu::api
