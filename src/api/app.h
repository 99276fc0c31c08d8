#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backfill/backfill.h"
#include "document/segment_document.h"
#include "engine/engine.h"
#include "gateway/gateway.h"
#include "http/router.h"
#include "http/workers.h"
#include "live/live_feed.h"
#include "query/session.h"
#include "survey/survey.h"
#include "webhook/webhooks.h"

namespace kehu::api {

// Handlers speak of requests and answers in every line.
using namespace http;

struct AppOptions {
  // Accepted besides the derived ones when set (KEHU_ADMIN_TOKEN, KEHU_WRITE_KEY).
  std::string admin_token = {};
  std::string write_key = {};
  int workers = 2;  // and as many for timelines, for statements and for long results
  // Lines of /metrics that other rooms contribute (the server's connections).
  std::function<void(std::string&)> more_metrics = {};
  // Who tells others of segments and tags; nullptr: nobody does here. Outlives the app.
  webhook::Webhooks* webhooks = nullptr;
  // Told, at most once a minute and thread, of requests that nobody could take: a path that nothing is served
  // at, a key that no source has, a wrong admin token. Holds no key and no personal value.
  std::function<void(std::string_view)> warn = {};
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
  gateway::Gateway& gateway() { return gateway_; }
  engine::Engine& engine() { return engine_; }
  query::Reader& query() { return query_; }
  const seal::ProjectKey& key() const { return engine_.key(); }
  // Of commands, which wait for the log at most…
  Workers& workers() { return gateway_.workers(); }
  // …of timelines, which people wait for…
  Workers& timelines() { return timelines_; }
  // …and of statements, which read for as long as a minute and hold up nobody else.
  Workers& statements() { return statements_; }
  // Of the rows of long results, at the pace of whoever reads them.
  Workers& readers() { return readers_; }
  std::atomic<int>& long_results() { return long_results_; }  // open now
  live::LiveFeed& live() { return live_; }
  document::FillingPace filling_pace() const;
  debugger::Debugger& debugger() { return gateway_.debugger(); }
  gateway::RateLimits& limits() { return gateway_.limits(); }
  debugger::StrangerLog& strangers() { return gateway_.strangers(); }
  const AppOptions& options() const { return options_; }

  // Who calls, if the credentials are good; else nullptr. Behind the gate the request says it itself.
  std::shared_ptr<const Principal> admin(const Request& request) const { return gateway_.admin(request); }
  const engine::Source* source_of(const engine::Project& project, std::string_view write_key) const {
    return gateway_.source_of(project, write_key);
  }

  // Stops the workers; what waits is answered 503.
  void stop();

  std::string openapi() const;
  std::string metrics();

 private:
  Admission gate(const Route& route, const Request& request);
  Admission check_admin(const Route& route, const Request& request);
  Admission check_key(const Route& route, const Request& request) const;
  void turned_away(const Route* route, const Request& request, const Response& response);

  engine::Engine& engine_;
  query::Reader& query_;
  AppOptions options_;
  gateway::Gateway gateway_;
  std::atomic<int> long_results_{0};
  Workers timelines_;
  Workers statements_;
  Workers readers_;
  live::LiveFeed live_;
  std::unique_ptr<backfill::Backfill> backfill_;
  std::unique_ptr<survey::Survey> survey_;
  std::unique_ptr<Router> router_;
};

// One function per file of routes; each appends its lines to the table.
void add_browser_sdk_routes(App& app, std::vector<Route>& routes);
void add_customer_routes(App& app, std::vector<Route>& routes);
void add_identity_routes(App& app, std::vector<Route>& routes);
void add_reveal_routes(App& app, std::vector<Route>& routes);
void add_debugger_routes(App& app, std::vector<Route>& routes);
void add_definition_routes(App& app, std::vector<Route>& routes);
void add_outbox_routes(App& app, std::vector<Route>& routes);
void add_rule_routes(App& app, std::vector<Route>& routes);
void add_source_routes(App& app, std::vector<Route>& routes);
void add_rejection_routes(App& app, std::vector<Route>& routes);
void add_settings_routes(App& app, std::vector<Route>& routes);
void add_encryption_key_routes(App& app, std::vector<Route>& routes);
void add_import_routes(App& app, std::vector<Route>& routes);
void add_sql_routes(App& app, std::vector<Route>& routes);
void add_backfill_routes(App& app, std::vector<Route>& routes);
void add_backup_routes(App& app, std::vector<Route>& routes);
void add_status_routes(App& app, std::vector<Route>& routes);
void add_webhook_routes(App& app, std::vector<Route>& routes);
void add_list_routes(App& app, std::vector<Route>& routes);
void add_page_routes(App& app, std::vector<Route>& routes);

}  // namespace kehu::api
