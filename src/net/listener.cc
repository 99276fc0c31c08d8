#include "net/listener.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace kehu::net {
namespace {

constexpr int kBacklog = 4096;
constexpr std::chrono::milliseconds kPauseAfterError(100);

std::string error_text(int error) { return std::strerror(error); }

absl::Status cannot_listen(const std::string& where, int error) {
  std::string text = "cannot listen on " + where + ": " + error_text(error);
  if (error == EADDRINUSE) text += "; another server is running there: stop it or choose another address";
  if (error == EACCES) text += "; choose a port above 1023 or a place you may write to";
  return absl::FailedPreconditionError(text);
}

struct HostPort {
  std::string host;
  std::string port;
};

bool split(const std::string& address, HostPort& out) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon + 1 == address.size()) return false;
  out.host = address.substr(0, colon);
  out.port = address.substr(colon + 1);
  if (out.host.size() > 2 && out.host.front() == '[' && out.host.back() == ']') {
    out.host = out.host.substr(1, out.host.size() - 2);
  }
  const bool digits = out.port.size() <= 5 && out.port.find_first_not_of("0123456789") == std::string::npos;
  return digits && std::atoi(out.port.c_str()) <= 65535;
}

int open_tcp(const addrinfo& found, int& error) {
  const int descriptor = ::socket(found.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  // Not SO_REUSEPORT: two servers on one port would share its connections without a word.
  if (descriptor >= 0) ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const bool ok = descriptor >= 0 && ::bind(descriptor, found.ai_addr, found.ai_addrlen) == 0 &&
                  ::listen(descriptor, kBacklog) == 0;
  if (ok) return descriptor;
  error = errno;
  if (descriptor >= 0) ::close(descriptor);
  return -1;
}

bool somebody_listens(const sockaddr_un& name) {
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool answered = ::connect(probe, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0;
  ::close(probe);
  return answered;
}

Peer peer_of(const sockaddr_storage& from) {
  char text[INET6_ADDRSTRLEN] = "";
  if (from.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(from).sin_addr, text, sizeof text);
  } else if (from.ss_family == AF_INET6) {
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(from).sin6_addr, text, sizeof text);
  } else {
    return {.address = "unix", .local = true};
  }
  return {.address = text, .local = false};
}

}  // namespace

absl::StatusOr<ListeningSocket> ListeningSocket::tcp(const std::string& address) {
  HostPort where;
  if (!split(address, where)) {
    return absl::InvalidArgumentError("cannot listen on \"" + address +
                                      "\": give HOST:PORT, such as 127.0.0.1:7000");
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const char* host = where.host.empty() || where.host == "*" ? nullptr : where.host.c_str();
  if (const int error = ::getaddrinfo(host, where.port.c_str(), &hints, &found); error != 0) {
    return absl::InvalidArgumentError("cannot listen on " + address + ": " + ::gai_strerror(error));
  }
  int error = 0;
  const int family = found->ai_family;
  const int descriptor = open_tcp(*found, error);
  ::freeaddrinfo(found);
  if (descriptor < 0) return cannot_listen(address, error);
  return ListeningSocket(descriptor, family, "");
}

absl::StatusOr<ListeningSocket> ListeningSocket::unix_domain(const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.size() >= sizeof name.sun_path) {
    return absl::InvalidArgumentError("the path of the socket " + path + " is longer than 107 bytes");
  }
  std::memcpy(name.sun_path, path.data(), path.size());
  if (somebody_listens(name)) return cannot_listen(path, EADDRINUSE);
  ::unlink(path.c_str());
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  // Nobody can connect before listen(), so the mode is set in time.
  const bool ok = descriptor >= 0 &&
                  ::bind(descriptor, reinterpret_cast<sockaddr*>(&name), sizeof name) == 0 &&
                  ::chmod(path.c_str(), 0600) == 0 && ::listen(descriptor, kBacklog) == 0;
  if (!ok) {
    const int error = errno;
    if (descriptor >= 0) ::close(descriptor);
    return cannot_listen(path, error);
  }
  return ListeningSocket(descriptor, AF_UNIX, path);
}

ListeningSocket::ListeningSocket(ListeningSocket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      family_(other.family_),
      path_(std::exchange(other.path_, std::string())) {}

ListeningSocket::~ListeningSocket() {
  if (!path_.empty()) ::unlink(path_.c_str());
  if (descriptor_ >= 0) ::close(descriptor_);
}

uint16_t ListeningSocket::port() const {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  if (::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&name), &size) != 0) return 0;
  if (name.ss_family == AF_INET) return ntohs(reinterpret_cast<sockaddr_in&>(name).sin_port);
  if (name.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6&>(name).sin6_port);
  return 0;
}

Listener::Listener(EventLoop& loop, ListeningSocket socket, Accepted accepted,
                   std::function<void(std::string)> failed)
    : socket_(std::move(socket)),
      descriptor_(loop.context(), socket_.descriptor()),
      pause_(loop.context()),
      accepted_(std::move(accepted)),
      failed_(std::move(failed)) {}

Listener::~Listener() {
  if (descriptor_.is_open()) descriptor_.release();
}

void Listener::start() { wait(); }

void Listener::close() {
  closed_ = true;
  pause_.cancel();
  // Connections that wait in the backlog are reset, as if they had come a moment later.
  if (descriptor_.is_open()) ::shutdown(descriptor_.release(), SHUT_RDWR);
}

void Listener::wait() {
  descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                         [this](const boost::system::error_code& ec) {
                           if (!ec && !closed_) accept_all();
                         });
}

void Listener::accept_all() {
  for (;;) {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const int descriptor = ::accept4(socket_.descriptor(), reinterpret_cast<sockaddr*>(&from), &size,
                                     SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor >= 0) {
      accepted_(descriptor, socket_.family(),
                socket_.family() == AF_UNIX ? Peer{"unix", true} : peer_of(from));
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return wait();
    // Out of descriptors, most likely: the connections stay in the backlog until some are closed.
    failed_("cannot accept connections: " + error_text(errno));
    pause_.expires_after(kPauseAfterError);
    pause_.async_wait([this](const boost::system::error_code& ec) {
      if (!ec && !closed_) accept_all();
    });
    return;
  }
}

}  // namespace kehu::net
