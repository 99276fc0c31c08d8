#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/record.h"
#include "debugger/debugger.h"
#include "engine/engine.h"
#include "http/live_channel.h"
#include "replica/consumer_thread.h"

namespace kehu::live {

// What flows to WebSocket subscribers of /api/v1/live. A client chooses by one JSON message, again at any
// time:
//
//   {"subscribe": ["events", "customers", "memberships", "counts", "requests"], "customer": "…", "event":
//   "…",
//    "segment": "…", "source": "…"}
//
// and then receives one JSON object per message, with "kind": "event", "customer", "membership", "counts",
// "request" or "missed". `customer`, `event` and `source` narrow events and customers; `customer` and
// `segment` memberships, which are those of versions of segments and tags that are in force. Requests are
// those of `source`, which must be named: first its last ones, then each as it comes (docs/debugger.md). A
// client that reads too slowly loses messages and is told how many.
class LiveFeed {
 public:
  LiveFeed(engine::Engine& engine, debugger::Debugger& debugger);

  std::unique_ptr<http::LiveChannel> open();
  // What a connection asks for by its query parameters, when that is not possible: the answer instead.
  std::optional<http::Response> refuse(const http::Request& request) const;
  size_t subscribers() const;

 private:
  class Channel;
  struct Subscription;

  // Whether there is a segment of this name; of none there is.
  bool knows(const std::string& segment) const;
  void send_request(SourceId source, const debugger::Text& text);
  void send(const replica::AppliedSlice& slice, uint64_t missed);
  void send_missed(uint64_t missed) const;
  void send_counts(const replica::AppliedSlice& slice);
  void send_events(const replica::AppliedSlice& slice);
  void send_memberships(const replica::AppliedSlice& slice) const;
  std::vector<std::shared_ptr<Subscription>> current() const;
  void add(std::shared_ptr<Subscription> subscription);
  void remove(const Subscription* subscription);

  engine::Engine& engine_;
  debugger::Debugger& debugger_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Subscription>> subscriptions_;
  std::atomic<size_t> count_{0};
  // Of the feed's thread, as is `decoded_`.
  Duration last_counts_;
  uint64_t events_at_last_counts_ = 0;
  codec::EventRecord decoded_;
  replica::ConsumerThread applied_;  // ends first
};

}  // namespace kehu::live
