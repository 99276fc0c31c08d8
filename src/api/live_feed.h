#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "api/live_channel.h"
#include "engine/engine.h"

namespace kehu::api {

// What flows to WebSocket subscribers of /api/v1/live. A client chooses by one JSON message, again at any
// time:
//
//   {"subscribe": ["events", "customers", "counts"], "customer": "…", "event": "…", "source": "…"}
//
// and then receives one JSON object per message, with "kind": "event", "customer", "counts" or "missed". The
// three filters narrow events and customers. A client that reads too slowly loses messages and is told how
// many.
class LiveFeed {
 public:
  explicit LiveFeed(engine::Engine& engine);
  ~LiveFeed();

  std::unique_ptr<LiveChannel> open();
  size_t subscribers() const;

 private:
  class Channel;
  struct Subscription;

  void observe(const engine::AppliedBatch& batch);
  void send_counts(const engine::AppliedBatch& batch);
  void send_events(const engine::AppliedBatch& batch);
  std::vector<std::shared_ptr<Subscription>> current() const;
  void add(std::shared_ptr<Subscription> subscription);
  void remove(const Subscription* subscription);

  engine::Engine& engine_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Subscription>> subscriptions_;
  std::atomic<size_t> count_{0};
  // Of the apply thread.
  Duration last_counts_;
  uint64_t events_at_last_counts_ = 0;
};

}  // namespace kehu::api
