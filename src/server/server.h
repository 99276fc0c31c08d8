#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/time.h"
#include "http/router.h"
#include "net/tls.h"
#include "trace/tracer.h"

// HTTP/1.1 and WebSocket on TCP and unix-domain sockets.
// What to answer is the router's business (http/router.h), how it gets over the wire is decided here.
namespace kehu::server {

// One finished request, for the access log. It names the route and not the path: what stands for a `:name`
// may be a customer's phone or a write key.
struct AccessEntry {
  std::string_view remote;
  http::Method method = http::Method::kGet;
  std::string_view route;  // its pattern, "/api/v1/customers/:customer"; empty: no route was found
  int status = 0;
  size_t body_bytes = 0;  // of the answer
  // The connection ended before the socket had taken all of the answer: it took about `body_bytes`. Of
  // answers that are streamed or larger than 16 KiB; smaller ones count as given when they are made.
  bool broken_off = false;
  Duration took;  // from the complete request header to the answer, or to the end of a streamed or large one
};

enum class Severity : uint8_t { kInfo, kWarning, kError };

struct Options {
  std::string listen = {};      // "HOST:PORT", "[::1]:PORT"; port 0 picks a free one; empty: no TCP
  std::string tls_listen = {};  // the same, for TLS; empty: none
  net::TlsOptions tls = {};
  std::string unix_socket = {};  // path, created with mode 0600; requests over it are an admin's; empty: none
  int threads = 2;

  size_t max_connections = 20'000;  // over all listeners; more are answered 503 and closed
  size_t header_bytes = 16 * 1024;  // request line and fields; more: 431
  // Bodies and answers that move slower than this, after their timeout's head start, are cut off.
  size_t bytes_per_second_min = 1024;
  Duration header_timeout = Duration::seconds(10);  // from the first byte to the whole header: 408
  Duration body_timeout = Duration::seconds(20);    // head start of a body: 408
  // Without a byte in the middle of a body: 408; of a WebSocket message: 1008.
  Duration silence_timeout = Duration::seconds(20);
  Duration write_timeout = Duration::seconds(30);  // head start of an answer, and longest pause in it
  Duration idle_timeout = Duration::seconds(75);   // between requests
  Duration stop_grace = Duration::seconds(5);

  // Of all requests and WebSocket messages that are arriving, over all connections; more: 503, and 1013. The
  // second number is for those whose key can only stand in a body that is not there yet.
  size_t body_memory_bytes = 256u << 20;
  size_t keyless_body_memory_bytes = 16u << 20;

  size_t live_queue_bytes = 1024 * 1024;       // to a client; more is dropped and counted
  Duration live_idle = Duration::seconds(60);  // then a ping; without an answer the connection is closed

  std::function<void(Severity, std::string_view)> log;  // from any thread
  std::function<void(const AccessEntry&)> access_log;   // from the HTTP threads; empty: off
  trace::Tracer* tracer = nullptr;                      // of requests; outlives the server
};

struct Stats {
  uint64_t connections = 0;  // open now, WebSockets included
  uint64_t live = 0;         // WebSockets open now
  uint64_t accepted = 0;     // the rest: since the start
  uint64_t refused = 0;      // 503 at the door
  uint64_t requests = 0;
  uint64_t body_bytes = 0;      // of requests and messages that are arriving, now
  uint64_t bodies_refused = 0;  // 503 and 1013: there was no memory for them
  uint64_t malformed = 0;       // 400, 408, 413, 431… given by this folder
  uint64_t answered[6] = {};    // by the first digit of the status
};

// Runs from start() to stop(). Thread-safe.
class Server {
 public:
  // Binds and starts the threads; the router must outlive the server. Raises the process's limit of open
  // files as far as it may, and with TLS ignores SIGPIPE. Fails with what to do when an address is taken.
  static absl::StatusOr<std::unique_ptr<Server>> start(Options options, const http::Router& router);
  ~Server();  // stops

  // No new connections; requests that run are finished within stop_grace, WebSockets are closed with 1001;
  // what is left then is cut. Returns when all threads are gone. Later answers of handlers are dropped.
  void stop();

  // Reads certificate and key again, for connections from now on. After an error those before stay in use.
  absl::Status reload_tls();

  uint16_t port() const;  // of TCP; 0 without
  uint16_t tls_port() const;
  Stats stats() const;

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kehu::server
