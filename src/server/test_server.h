#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "http/router.h"
#include "server/server.h"

namespace kehu::server {

// Waits five seconds for a condition that another thread brings about.
inline bool eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 1000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

// A server on a free port of 127.0.0.1 with its routes.
class TestServer {
 public:
  explicit TestServer(std::vector<http::Route> routes, Options options = {}, http::Gate gate = {})
      : router_(std::move(routes), std::move(gate)) {
    if (options.listen.empty() && options.unix_socket.empty()) options.listen = "127.0.0.1:0";
    auto started = Server::start(std::move(options), router_);
    EXPECT_TRUE(started.ok()) << started.status();
    server_ = *std::move(started);
  }

  Server& operator*() { return *server_; }
  Server* operator->() { return server_.get(); }
  uint16_t port() const { return server_->port(); }

 private:
  http::Router router_;
  std::unique_ptr<Server> server_;
};

// Answers "METHOD TARGET BODY".
inline http::Handler echo() {
  return [](const http::Request& request, http::Responder responder) {
    responder.send(http::Response::text(std::string(to_string(request.method)) + " " +
                                        std::string(request.target) + " " + std::string(request.body)));
  };
}

inline std::vector<http::Route> echo_routes(size_t limit = 1 << 20) {
  std::vector<http::Route> routes;
  routes.push_back({.method = http::Method::kGet, .pattern = "/echo", .action = http::NoBody{echo()}});
  routes.push_back(
      {.method = http::Method::kPost, .pattern = "/echo", .action = http::BufferedBody{limit, echo()}});
  return routes;
}

}  // namespace kehu::server
