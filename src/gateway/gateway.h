#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "debugger/debugger.h"
#include "debugger/stranger_log.h"
#include "engine/engine.h"
#include "gateway/rate_limits.h"
#include "http/request.h"
#include "http/router.h"
#include "http/workers.h"

// Requests that bring events, whatever their protocol: who sends them, how much he may send, what becomes of
// them on the way to the log.
namespace kehu::gateway {

// Handlers speak of requests and answers in every line.
using namespace http;

struct GatewayOptions {
  // Accepted besides the derived ones when set (KEHU_ADMIN_TOKEN, KEHU_WRITE_KEY).
  std::string admin_token = {};
  std::string write_key = {};
  int workers = 2;
  // Told, at most once a minute and thread, of requests that nobody could take: a path that nothing is served
  // at, a key that no source has, a wrong admin token. Holds no key and no personal value.
  std::function<void(std::string_view)> warn = {};
};

// What the routes that bring events share. Thread-safe. The engine outlives it.
class Gateway {
 public:
  Gateway(engine::Engine& engine, GatewayOptions options);
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  engine::Engine& engine() { return engine_; }
  debugger::Debugger& debugger() { return debugger_; }
  debugger::StrangerLog& strangers() { return strangers_; }
  RateLimits& limits() { return limits_; }
  // Held by whoever takes a rejection out of quarantine, from the look at its state to the record that closes
  // it.
  std::mutex& closing() { return closing_; }
  Workers& workers() { return workers_; }
  // What browser SDKs report about themselves (POST /v1/m).
  std::atomic<uint64_t>& sdk_reports() { return sdk_reports_; }
  // Values that read as personal and were stored in clear, because the settings except them.
  std::atomic<uint64_t>& personal_in_clear() { return personal_in_clear_; }
  // Events whose time was ahead by a time zone.
  std::atomic<uint64_t>& times_ahead() { return times_ahead_; }

  // Who calls, if the credentials are good; else nullptr.
  std::shared_ptr<const Principal> admin(const Request& request) const;
  // The enabled source a write key opens, in the given state of the project.
  const engine::Source* source_of(const engine::Project& project, std::string_view write_key) const;

 private:
  engine::Engine& engine_;
  Hash128 admin_hashes_[2];
  Hash128 write_key_hash_;
  std::shared_ptr<const Principal> local_ = Principal::administrator("local");
  std::shared_ptr<const Principal> admin_ = Principal::administrator("admin");
  Workers workers_;
  debugger::Debugger debugger_;
  debugger::StrangerLog strangers_;
  RateLimits limits_;
  std::mutex closing_;
  std::atomic<uint64_t> sdk_reports_{0};
  std::atomic<uint64_t> personal_in_clear_{0};
  std::atomic<uint64_t> times_ahead_{0};
};

// One function per protocol; each appends its lines to the table.
void add_bulk_routes(Gateway& gateway, std::vector<Route>& routes);
void add_segment_routes(Gateway& gateway, std::vector<Route>& routes);
void add_rudder_routes(Gateway& gateway, std::vector<Route>& routes);
void add_posthog_routes(Gateway& gateway, std::vector<Route>& routes);
void add_sensors_routes(Gateway& gateway, std::vector<Route>& routes);
void add_cloud_event_routes(Gateway& gateway, std::vector<Route>& routes);
void add_stream_routes(Gateway& gateway, std::vector<Route>& routes);

}  // namespace kehu::gateway
