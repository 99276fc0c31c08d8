#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/time.h"
#include "http/request.h"

namespace kehu::http {

// WebSocket close codes (RFC 6455, 7.4.1) that we send or hand on.
enum class CloseCode : uint16_t {
  kNormal = 1000,
  kGoingAway = 1001,
  kProtocolError = 1002,
  kUnsupportedData = 1003,
  kNoStatus = 1005,  // never sent: the client's close frame had no code
  kAbnormal = 1006,  // never sent: the connection broke
  kNotUtf8 = 1007,
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

  // The channel's on_ready() will be called, once for all calls before it, as soon as the client has taken
  // most of what was sent.
  virtual void ask_ready() = 0;
  // No message is delivered from now on; the client is held back, not buffered. Only the channel itself may
  // ask for it.
  virtual void hold() = 0;
  virtual void go_on() = 0;
  // The same for a while, or some seconds more; go_on() does not end it.
  virtual void pause(Duration duration) = 0;
};

// One WebSocket connection's owner, made by a live route for each connection. Its methods run on the
// connection's thread, one at a time; on_close comes last and exactly once, also when the server stops.
class LiveChannel {
 public:
  virtual ~LiveChannel() = default;

  // `request` is valid during the call.
  virtual void on_open(const Request& request, std::shared_ptr<LiveSink> sink) = 0;
  virtual void on_text(std::string_view text) = 0;
  // False: this channel takes no binary messages, and the connection is closed with 1003.
  virtual bool on_binary(std::string_view) { return false; }
  // Behind the last of some messages that arrived together.
  virtual void on_burst_end() {}
  virtual void on_ready() {}
  // The queue has room again after `dropped` messages were lost since the last call (or the start). What is
  // returned goes to the client past the queue, which may be full again; nothing goes when it is empty.
  virtual std::string on_caught_up(uint64_t) { return {}; }
  virtual void on_close(CloseCode code) = 0;
  // The server stops. True: the connection may be closed now. False: the channel closes it, soon.
  virtual bool on_stop() { return true; }
};

}  // namespace kehu::http
