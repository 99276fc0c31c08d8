#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

namespace kehu::server {

// A blocking client socket that says exactly what it is told.
class TestSocket {
 public:
  explicit TestSocket(uint16_t port) : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(descriptor_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
  }
  explicit TestSocket(const std::string& path) : descriptor_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::memcpy(to.sun_path, path.data(), path.size());
    connected_ = ::connect(descriptor_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
  }
  TestSocket(TestSocket&& other) noexcept : descriptor_(other.descriptor_), connected_(other.connected_) {
    other.descriptor_ = -1;
  }
  TestSocket& operator=(TestSocket&&) = delete;
  ~TestSocket() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  bool connected() const { return connected_; }

  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(count));
    }
    return true;
  }
  void finish_sending() { ::shutdown(descriptor_, SHUT_WR); }

  // What arrives within the time; "" at the end of the stream or when nothing came.
  std::string receive(int wait_ms = 5000) {
    pollfd ready{descriptor_, POLLIN, 0};
    if (::poll(&ready, 1, wait_ms) <= 0) return "";
    char bytes[65536];
    const ssize_t count = ::recv(descriptor_, bytes, sizeof bytes, 0);
    reset_ = count < 0 && errno == ECONNRESET;
    return count > 0 ? std::string(bytes, static_cast<size_t>(count)) : "";
  }
  std::string receive_to_end(int wait_ms = 5000) {
    std::string all;
    for (std::string more = receive(wait_ms); !more.empty(); more = receive(wait_ms)) all += more;
    return all;
  }
  std::string receive_until(std::string_view end, int wait_ms = 5000) {
    std::string all;
    while (all.find(end) == std::string::npos) {
      const std::string more = receive(wait_ms);
      if (more.empty()) break;
      all += more;
    }
    return all;
  }
  // How the stream that receive() read to its end has ended.
  bool was_reset() const { return reset_; }
  // True when the peer has closed within the time.
  bool closed_within(int wait_ms) {
    pollfd ready{descriptor_, POLLIN, 0};
    if (::poll(&ready, 1, wait_ms) <= 0) return false;
    char byte;
    return ::recv(descriptor_, &byte, 1, 0) <= 0;
  }

 private:
  int descriptor_;
  bool connected_ = false;
  bool reset_ = false;
};

}  // namespace kehu::server
