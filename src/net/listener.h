#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>  // Asio 1.74 forgets it

#include "absl/status/statusor.h"
#include "net/transport.h"

namespace kehu::net {

// A listening socket, ready to accept. Owns the descriptor and, for a unix-domain socket, the file.
class ListeningSocket {
 public:
  // "HOST:PORT" or "[IPv6]:PORT"; names are resolved, the first address is taken.
  static absl::StatusOr<ListeningSocket> tcp(const std::string& address);
  // Mode 0600. A file that a dead server left behind is replaced.
  static absl::StatusOr<ListeningSocket> unix_domain(const std::string& path);

  ListeningSocket(ListeningSocket&& other) noexcept;
  ListeningSocket& operator=(ListeningSocket&&) = delete;
  ~ListeningSocket();

  int descriptor() const { return descriptor_; }
  int family() const { return family_; }
  uint16_t port() const;

 private:
  ListeningSocket(int descriptor, int family, std::string path)
      : descriptor_(descriptor), family_(family), path_(std::move(path)) {}

  int descriptor_;
  int family_;
  std::string path_;
};

// Accepts on a thread's loop until it is closed.
class Listener {
 public:
  using Accepted = std::function<void(int descriptor, int family, Peer peer)>;
  // `failed` is told an error text when accepting has to pause (out of descriptors, mostly).
  Listener(EventLoop& loop, ListeningSocket socket, Accepted accepted,
           std::function<void(std::string)> failed);
  ~Listener();

  void start();
  void close();  // on the loop's thread, or when it is not running
  uint16_t port() const { return socket_.port(); }

 private:
  void wait();
  void accept_all();

  ListeningSocket socket_;
  boost::asio::posix::stream_descriptor descriptor_;
  boost::asio::steady_timer pause_;
  Accepted accepted_;
  std::function<void(std::string)> failed_;
  bool closed_ = false;
};

}  // namespace kehu::net
