#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "api/request.h"

namespace kehu::api {

// WebSocket close codes (RFC 6455, 7.4.1) that we send or hand on.
enum class CloseCode : uint16_t {
  kNormal = 1000,
  kGoingAway = 1001,
  kProtocolError = 1002,
  kUnsupportedData = 1003,
  kAbnormal = 1006,  // never sent: the connection broke
  kPolicy = 1008,
  kTooBig = 1009,
  kInternal = 1011,
  kTryAgainLater = 1013,
};

// The sending half of one WebSocket. Thread-safe; may outlive the connection (then everything is dropped).
class LiveSink {
 public:
  virtual ~LiveSink() = default;

  // One text message; shared, so that a broadcast holds one copy. False: the connection's queue is full
  // (or closed) and the message was dropped and counted. Never waits.
  virtual bool send(std::shared_ptr<const std::string> text) = 0;
  bool send(std::string text) { return send(std::make_shared<const std::string>(std::move(text))); }
  // After what is queued. `reason` is at most 123 bytes; longer ones are cut.
  virtual void close(CloseCode code, std::string_view reason) = 0;
  virtual uint64_t dropped() const = 0;  // since the connection was opened
};

// One WebSocket connection's owner, made by a live route for each connection. Its methods run on the
// connection's thread, one at a time; on_close comes last and exactly once, also when the server stops.
class LiveChannel {
 public:
  virtual ~LiveChannel() = default;

  // `request` is valid during the call.
  virtual void on_open(const Request& request, std::shared_ptr<LiveSink> sink) = 0;
  virtual void on_text(std::string_view text) = 0;
  // The queue has room again after `dropped` messages were lost since the last call (or the start): the place
  // to tell the client that it missed something.
  virtual void on_caught_up(uint64_t dropped) = 0;
  virtual void on_close(CloseCode code) = 0;
};

}  // namespace kehu::api
