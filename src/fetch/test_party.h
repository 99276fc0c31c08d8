#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <thread>

namespace kehu::fetch {

// A socket that listens on a free port of 127.0.0.1, or is bound to one only.
class TestListener {
 public:
  explicit TestListener(bool listens = true) : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    EXPECT_EQ(::bind(descriptor_, reinterpret_cast<sockaddr*>(&at), size), 0);
    if (listens) {
      EXPECT_EQ(::listen(descriptor_, 128), 0);
    }
    ::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&at), &size);
    port_ = ntohs(at.sin_port);
  }
  ~TestListener() { ::close(descriptor_); }

  uint16_t port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  void stop() { stopping_ = true; }
  // False when it was stopped before somebody came.
  bool wait() const { return wait(descriptor_); }
  bool wait(int descriptor) const {
    pollfd ready{descriptor, POLLIN, 0};
    while (!stopping_) {
      if (::poll(&ready, 1, 10) > 0) return true;
    }
    return false;
  }
  int accept() const { return ::accept(descriptor_, nullptr, nullptr); }

 private:
  const int descriptor_;
  uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
};

// A server that does what a test wants, right or wrong: it reads a request with its body, shows it to
// `answer`, and sends the bytes that come back. "" closes the connection at once, "Connection: close" in them
// after they are sent. A thread for each connection.
class TestParty {
 public:
  using Answer = std::function<std::string(const std::string& request)>;

  explicit TestParty(Answer answer) : answer_(std::move(answer)), thread_([this] { accept(); }) {}
  ~TestParty() {
    listener_.stop();
    thread_.join();
    for (std::thread& each : connections_) each.join();
  }

  std::string address() const { return listener_.address(); }
  std::string url(std::string_view rest = "/") const { return "http://" + address() + std::string(rest); }
  int accepted() const { return accepted_; }

  static std::string ok(std::string_view body) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           std::string(body);
  }

 private:
  void accept() {
    while (listener_.wait()) {
      const int descriptor = listener_.accept();
      if (descriptor < 0) return;
      ++accepted_;
      connections_.emplace_back([this, descriptor] {
        serve(descriptor);
        ::close(descriptor);
      });
    }
  }

  void serve(int descriptor) {
    for (std::string bytes; listener_.wait(descriptor);) {
      char piece[65536];
      const ssize_t count = ::recv(descriptor, piece, sizeof piece, 0);
      if (count <= 0) return;
      bytes.append(piece, static_cast<size_t>(count));
      if (!whole(bytes)) continue;
      const std::string answer = answer_(bytes);
      bytes.clear();
      if (answer.empty() || !send(descriptor, answer)) return;
      if (answer.find("Connection: close") != std::string::npos) return;
    }
  }

  static bool whole(const std::string& bytes) {
    const size_t head = bytes.find("\r\n\r\n");
    if (head == std::string::npos) return false;
    if (bytes.find("Transfer-Encoding: chunked") < head) return bytes.ends_with("\r\n0\r\n\r\n");
    const size_t length = bytes.find("Content-Length: ");
    const size_t body = length < head ? std::stoul(bytes.substr(length + 16)) : 0;
    return bytes.size() >= head + 4 + body;
  }

  static bool send(int descriptor, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(count));
    }
    return true;
  }

  const Answer answer_;
  TestListener listener_;
  std::atomic<int> accepted_{0};
  std::list<std::thread> connections_;
  std::thread thread_;
};

}  // namespace kehu::fetch
