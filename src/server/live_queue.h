#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "http/live_channel.h"
#include "server/io_thread.h"

namespace kehu::server {

// Texts on their way to one WebSocket: any thread puts them in, the connection's thread takes them out.
class LiveQueue final : public http::LiveSink {
 public:
  LiveQueue(std::shared_ptr<Inbox> inbox, size_t limit_bytes)
      : inbox_(std::move(inbox)), limit_bytes_(limit_bytes) {}

  // Before anybody else knows the queue.
  void set_ticket(http::Ticket ticket) { ticket_ = ticket; }

  bool send(std::shared_ptr<const std::string> text) override;
  void close(http::CloseCode code, std::string_view reason) override;
  uint64_t dropped() const override;
  void ask_ready() override;
  void hold() override { held_ = true; }
  void go_on() override;
  void pause(Duration duration) override;
  bool held() const { return held_ || paused_until_ms_ != 0; }
  // Ends a pause in time; `now_ms` is steady.
  void tick(int64_t now_ms);

  struct Closing {
    http::CloseCode code;
    std::string reason;
  };
  struct Next {
    std::shared_ptr<const std::string> text;  // nullptr: nothing waits
    bool ready = false;                       // asked for, and nothing waits
    std::optional<Closing> closing;           // when nothing waits any more
    uint64_t dropped = 0;                     // since this was told last; told once half of the queue is free
  };
  // An empty answer arms the wake-up of the next send.
  Next take();
  void shut();  // drops what waits; later sends are dropped too

 private:
  bool wants_wake();  // under the mutex

  const std::shared_ptr<Inbox> inbox_;
  const size_t limit_bytes_;
  http::Ticket ticket_;

  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<const std::string>> texts_;
  size_t bytes_ = 0;
  uint64_t dropped_ = 0;
  uint64_t told_ = 0;
  bool taken_care_of_ = false;  // the owner will look
  bool ready_asked_ = false;
  bool shut_ = false;
  std::optional<Closing> closing_;
  std::atomic<bool> held_{false};
  std::atomic<int64_t> paused_until_ms_{0};
};

}  // namespace kehu::server
