#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "http/responder.h"
#include "http/router.h"
#include "net/event_loop.h"
#include "net/transport.h"
#include "server/body_memory.h"
#include "server/framing.h"
#include "server/server.h"

namespace kehu::server {

// Counted by all threads of one server.
struct Counters {
  std::atomic<uint64_t> connections{0};
  std::atomic<uint64_t> live{0};
  std::atomic<uint64_t> accepted{0};
  std::atomic<uint64_t> refused{0};
  std::atomic<uint64_t> requests{0};
  std::atomic<uint64_t> bodies_refused{0};
  std::atomic<uint64_t> malformed{0};
  std::atomic<uint64_t> answered[6] = {};
};

// The clock of all deadlines, in milliseconds.
int64_t steady_ms();

inline void count(std::atomic<uint64_t>& counter) { counter.fetch_add(1, std::memory_order_relaxed); }

// What a thread's slot holds: an HTTP connection or a WebSocket. All calls come on the owning thread.
class Session {
 public:
  virtual ~Session() = default;
  virtual void answer(http::Response) {}
  virtual void read_more() {}
  virtual void take(absl::StatusOr<http::Piece>) {}
  virtual void watch(absl::AnyInvocable<void()>) {}
  virtual void live_ready() {}  // texts wait in the queue of a WebSocket
  virtual void on_tick() = 0;   // deadlines
  virtual void stop() = 0;      // finish what runs, begin nothing
  virtual void cut() = 0;       // close now
};

class IoThread;

// The door through which other threads reach a thread's sessions. Outlives its thread; then it drops
// everything.
class Inbox final : public http::Outlet {
 public:
  explicit Inbox(IoThread& owner) : owner_(&owner) {}

  void answer(http::Ticket ticket, http::Response response) override;
  void answer_all(std::vector<Answer>& answers) override;
  void read_more(http::Ticket ticket) override;
  void take(http::Ticket ticket, absl::StatusOr<http::Piece> piece) override;
  void watch(http::Ticket ticket, absl::AnyInvocable<void()> left) override;
  void live_ready(http::Ticket ticket);

 private:
  friend class IoThread;
  enum class Kind : uint8_t { kAnswer, kReadMore, kPiece, kLiveReady };
  struct Item {
    Kind kind;
    http::Ticket ticket;
    http::Response response = {};
    absl::StatusOr<http::Piece> piece = http::Piece();
  };

  bool is_own_request(http::Ticket ticket) const;
  void push(Item item);
  void wake();  // under the mutex
  void drain();
  void shut();

  std::mutex mutex_;
  IoThread* owner_;  // nullptr once shut
  std::vector<Item> items_;
  std::vector<Item> taken_;  // the owner's, kept for its memory
};

// One event loop: its sockets are touched by no other thread.
class IoThread {
 public:
  IoThread(const Options& options, const http::Router& router, Counters& counters, BodyMemory& body_memory);
  ~IoThread();

  void run();  // starts the thread
  void join();

  // From any thread.
  void adopt(int descriptor, int family, net::Peer peer, std::shared_ptr<const net::TlsContext> tls);
  void begin_stop();
  void end();  // cuts what is left and ends the loop

  // On this thread.
  http::Ticket add(std::shared_ptr<Session> session);
  // Another request of the session in the slot: earlier tickets are stale.
  http::Ticket renew(http::Ticket ticket);
  void remove(http::Ticket ticket);
  Session* find(http::Ticket ticket) const;

  net::EventLoop& event_loop() { return event_loop_; }
  const Options& options() const { return options_; }
  const http::Router& router() const { return router_; }
  Counters& counters() { return counters_; }
  BodyMemory& body_memory() { return body_memory_; }
  const std::shared_ptr<Inbox>& inbox() const { return inbox_; }
  bool stopping() const { return stopping_; }
  size_t sessions() const { return session_count_.load(std::memory_order_relaxed); }
  int64_t now_ms() const { return now_ms_; }  // steady, as of the last tick
  std::string_view date_line() const { return date_line_; }

  // Memory that each turn of a session uses and leaves empty.
  static constexpr size_t kReadBytes = 256 * 1024;
  char* read_buffer() { return read_buffer_.get(); }
  std::string& write_buffer() { return write_buffer_; }
  Head& head() { return head_; }

  // The request whose handler or sink is running: what it says to its own ticket needs no inbox.
  std::optional<http::Ticket> dispatching;

  static IoThread* current();

 private:
  struct Slot {
    std::shared_ptr<Session> session;
    uint32_t generation = 0;
  };

  void loop();
  void tick();
  template <class Visit>
  void for_each_session(Visit visit);

  const Options& options_;
  const http::Router& router_;
  Counters& counters_;
  BodyMemory& body_memory_;
  net::EventLoop event_loop_;
  std::shared_ptr<Inbox> inbox_;
  std::thread thread_;

  std::vector<Slot> slots_;
  std::vector<uint32_t> free_slots_;
  std::atomic<size_t> session_count_{0};
  bool stopping_ = false;
  std::chrono::milliseconds tick_every_;
  int64_t now_ms_ = 0;
  std::string date_line_;
  std::unique_ptr<char[]> read_buffer_ = std::make_unique_for_overwrite<char[]>(kReadBytes);
  std::string write_buffer_;
  Head head_;
};

}  // namespace kehu::server
