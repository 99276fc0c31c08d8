#include "server/server.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <mutex>
#include <thread>
#include <vector>

#include "net/listener.h"
#include "net/tls.h"
#include "server/io_thread.h"
#include "server/wire.h"

namespace kehu::server {
namespace {

void raise_open_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::string full_answer() {
  const http::Response response = to_response(
      http::Problem::overloaded("the server has as many connections as it may; try again in a second"));
  std::string bytes;
  append_head(response, {.date_line = "", .close = true}, bytes);
  return bytes + response.body;
}

}  // namespace

class Server::Impl {
 public:
  Impl(Options options, const http::Router& router)
      : options_(std::move(options)),
        body_memory_(
            {.bytes = options_.body_memory_bytes, .keyless_bytes = options_.keyless_body_memory_bytes}) {
    for (int i = 0; i < options_.threads; ++i) {
      threads_.push_back(std::make_unique<IoThread>(options_, router, counters_, body_memory_));
    }
  }

  absl::Status listen() {
    if (!options_.listen.empty()) {
      auto socket = net::ListeningSocket::tcp(options_.listen);
      if (!socket.ok()) return socket.status();
      add(*std::move(socket), Kind::kPlain);
      port_ = listeners_.back()->port();
    }
    if (!options_.tls_listen.empty()) {
      if (absl::Status status = reload_tls(); !status.ok()) return status;
      auto socket = net::ListeningSocket::tcp(options_.tls_listen);
      if (!socket.ok()) return socket.status();
      add(*std::move(socket), Kind::kTls);
      tls_port_ = listeners_.back()->port();
      std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
    }
    if (!options_.unix_socket.empty()) {
      auto socket = net::ListeningSocket::unix_domain(options_.unix_socket);
      if (!socket.ok()) return socket.status();
      add(*std::move(socket), Kind::kPlain);
    }
    return absl::OkStatus();
  }

  void run() {
    for (const auto& listener : listeners_) listener->start();
    for (const auto& thread : threads_) thread->run();
  }

  void stop();

  absl::Status reload_tls();

  uint16_t port() const { return port_; }
  uint16_t tls_port() const { return tls_port_; }
  Stats stats() const;

 private:
  enum class Kind { kPlain, kTls };

  void add(net::ListeningSocket socket, Kind kind) {
    listeners_.push_back(std::make_unique<net::Listener>(
        threads_[0]->event_loop(), std::move(socket),
        [this, kind](int descriptor, int family, net::Peer peer) {
          accept(descriptor, family, std::move(peer), kind == Kind::kTls ? current_tls() : nullptr);
        },
        [this](std::string text) {
          if (options_.log) options_.log(Severity::kError, text);
        }));
  }

  void accept(int descriptor, int family, net::Peer peer, std::shared_ptr<const net::TlsContext> tls);
  std::shared_ptr<const net::TlsContext> current_tls() {
    const std::lock_guard lock(tls_mutex_);
    return tls_;
  }

  const Options options_;
  Counters counters_;
  BodyMemory body_memory_;
  std::vector<std::unique_ptr<IoThread>> threads_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;  // on the first thread
  size_t next_thread_ = 0;
  uint16_t port_ = 0;
  uint16_t tls_port_ = 0;
  std::mutex tls_mutex_;
  std::shared_ptr<const net::TlsContext> tls_;
  std::mutex stop_mutex_;
  bool stopped_ = false;
};

// One listener deals the connections out in turn: the kernel's hash (SO_REUSEPORT) would give one of two
// threads 20 of 32 connections as often as not.
void Server::Impl::accept(int descriptor, int family, net::Peer peer,
                          std::shared_ptr<const net::TlsContext> tls) {
  if (counters_.connections.fetch_add(1, std::memory_order_relaxed) < options_.max_connections) {
    count(counters_.accepted);
    threads_[next_thread_]->adopt(descriptor, family, std::move(peer), std::move(tls));
    next_thread_ = (next_thread_ + 1) % threads_.size();
    return;
  }
  counters_.connections.fetch_sub(1, std::memory_order_relaxed);
  count(counters_.refused);
  if (tls != nullptr) {  // shaking hands to say so would cost what there is too little of
    ::close(descriptor);
    return;
  }
  static const std::string answer = full_answer();
  ::send(descriptor, answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  ::shutdown(descriptor, SHUT_WR);
  char unread[4096];  // closing over unread bytes would destroy the answer
  while (::recv(descriptor, unread, sizeof unread, MSG_DONTWAIT) > 0) {
  }
  ::close(descriptor);
}

absl::Status Server::Impl::reload_tls() {
  auto loaded = net::TlsContext::load(options_.tls);
  if (!loaded.ok()) return loaded.status();
  const std::lock_guard lock(tls_mutex_);
  tls_ = *std::move(loaded);
  return absl::OkStatus();
}

// First nobody new is let in, then every session is told, so that it ends behind the answer that it is at.
// What is left after the grace is cut, and only then do the threads end. An answer that comes later finds
// its inbox shut and is dropped.
void Server::Impl::stop() {
  const std::lock_guard lock(stop_mutex_);
  if (std::exchange(stopped_, true)) return;
  threads_[0]->event_loop().post([this] {
    for (const auto& listener : listeners_) listener->close();
  });
  for (const auto& thread : threads_) thread->begin_stop();
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::microseconds(options_.stop_grace.micros());
  while (counters_.connections.load() > 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  for (const auto& thread : threads_) thread->end();
  for (const auto& thread : threads_) thread->join();
}

Stats Server::Impl::stats() const {
  Stats stats;
  stats.connections = counters_.connections;
  stats.live = counters_.live;
  stats.accepted = counters_.accepted;
  stats.refused = counters_.refused;
  stats.requests = counters_.requests;
  stats.body_bytes = body_memory_.bytes();
  stats.bodies_refused = counters_.bodies_refused;
  stats.malformed = counters_.malformed;
  for (size_t i = 0; i < std::size(stats.answered); ++i) stats.answered[i] = counters_.answered[i];
  return stats;
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() { stop(); }

absl::StatusOr<std::unique_ptr<Server>> Server::start(Options options, const http::Router& router) {
  if (options.threads < 1) return absl::InvalidArgumentError("a server needs at least one thread");
  raise_open_file_limit();
  auto impl = std::make_unique<Impl>(std::move(options), router);
  if (absl::Status status = impl->listen(); !status.ok()) return status;
  impl->run();
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

void Server::stop() { impl_->stop(); }
absl::Status Server::reload_tls() { return impl_->reload_tls(); }
uint16_t Server::port() const { return impl_->port(); }
uint16_t Server::tls_port() const { return impl_->tls_port(); }
Stats Server::stats() const { return impl_->stats(); }

}  // namespace kehu::server
