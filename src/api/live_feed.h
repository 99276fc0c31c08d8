#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/debugger.h"
#include "api/live_channel.h"
#include "engine/engine.h"

namespace kehu::api {

// What flows to WebSocket subscribers of /api/v1/live. A client chooses by one JSON message, again at any
// time:
//
//   {"subscribe": ["events", "customers", "counts", "requests"], "customer": "…", "event": "…", "source":
//   "…"}
//
// and then receives one JSON object per message, with "kind": "event", "customer", "counts", "request" or
// "missed". The three filters narrow events and customers. Requests are those of `source`, which must be
// named: first its last ones, then each as it comes (docs/debugger.md). A client that reads too slowly loses
// messages and is told how many.
class LiveFeed {
 public:
  LiveFeed(engine::Engine& engine, Debugger& debugger);

  std::unique_ptr<LiveChannel> open();
  // What a connection asks for by its query parameters, when that is not possible: the answer instead.
  std::optional<Response> refuse(const Request& request) const;
  size_t subscribers() const;
  // On the apply thread.
  void observe(const engine::AppliedBatch& batch);

 private:
  class Channel;
  struct Subscription;

  void send_request(SourceId source, const debugger::Text& text);
  void send_counts(const engine::AppliedBatch& batch);
  void send_events(const engine::AppliedBatch& batch);
  std::vector<std::shared_ptr<Subscription>> current() const;
  void add(std::shared_ptr<Subscription> subscription);
  void remove(const Subscription* subscription);

  engine::Engine& engine_;
  Debugger& debugger_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Subscription>> subscriptions_;
  std::atomic<size_t> count_{0};
  // Of the apply thread.
  Duration last_counts_;
  uint64_t events_at_last_counts_ = 0;
};

}  // namespace kehu::api
