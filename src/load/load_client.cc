#include "load/load_client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>

#include "base/text.h"

namespace kehu::load {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kPatience = std::chrono::milliseconds(10);

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

struct Connection {
  explicit Connection(Descriptor connected) : socket(std::move(connected)) {}

  Descriptor socket;
  std::string request;
  size_t written = 0;
  size_t events = 0;
  std::string answer;
  Clock::time_point started;
  bool busy = false;
};

absl::StatusOr<Descriptor> connect_to(uint16_t port) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    return failure(absl::StatusCode::kUnavailable, "cannot connect to port ", port, ": ",
                   std::strerror(errno));
  }
  const int one = 1;
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  fcntl(socket.get(), F_SETFL, O_NONBLOCK);
  return socket;
}

// Bytes of a whole answer at the front of `text`, or 0 while it is not complete. The server always says its
// length.
size_t whole_answer(std::string_view text) {
  const size_t end = text.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  static constexpr std::string_view kLength = "Content-Length: ";
  const size_t at = text.find(kLength);
  if (at == std::string_view::npos || at > end) return end + 4;
  const size_t size = end + 4 + static_cast<size_t>(std::atoll(text.data() + at + kLength.size()));
  return text.size() >= size ? size : 0;
}

class Load {
 public:
  Load(const LoadOptions& options, const NextRequest& next)
      : options_(options), next_(next), epoll_(epoll_create1(0)) {}

  absl::StatusOr<LoadResult> run() {
    for (int i = 0; i < options_.connections; ++i) {
      auto socket = connect_to(options_.port);
      if (!socket.ok()) return socket.status();
      connections_.emplace_back(*std::move(socket));
    }
    for (size_t i = 0; i < connections_.size(); ++i) {
      epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
      epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connections_[i].socket.get(), &event);
      idle_.push_back(i);
    }
    start_ = Clock::now();
    const auto end = start_ + std::chrono::microseconds(options_.length.micros());
    while (Clock::now() < end && !exhausted_) {
      start_due();
      if (auto status = wait(kPatience); !status.ok()) return status;
    }
    const auto stop = Clock::now();
    for (int i = 0; i < 500 && idle_.size() < connections_.size(); ++i) {
      if (auto status = wait(kPatience); !status.ok()) return status;
    }
    result_.seconds = std::chrono::duration<double>(stop - start_).count();
    std::sort(result_.ack_micros.begin(), result_.ack_micros.end());
    return std::move(result_);
  }

 private:
  void start_due() {
    const bool open_loop = options_.requests_per_second > 0;
    while (!idle_.empty()) {
      const auto now = Clock::now();
      // A request counts from when it should have begun, so a server that stalls is charged for the queue.
      const auto begin = open_loop ? due() : now;
      if (begin > now) return;
      Connection& connection = connections_[idle_.front()];
      connection.events = next_(connection.request);
      exhausted_ = connection.events == 0;
      if (exhausted_) return;
      idle_.pop_front();
      connection.written = 0;
      connection.started = begin;
      connection.busy = true;
      ++sent_;
      write(connection);
    }
  }

  // When the next request of an open loop should begin.
  Clock::time_point due() const {
    const double micros = static_cast<double>(sent_) * 1e6 / options_.requests_per_second;
    return start_ + std::chrono::microseconds(static_cast<int64_t>(micros));
  }

  void write(Connection& connection) {
    while (connection.written < connection.request.size()) {
      const ssize_t size = send(connection.socket.get(), connection.request.data() + connection.written,
                                connection.request.size() - connection.written, MSG_NOSIGNAL);
      if (size <= 0) {
        want(connection, EPOLLIN | EPOLLOUT);
        return;
      }
      connection.written += static_cast<size_t>(size);
    }
  }

  void want(Connection& connection, uint32_t events) {
    epoll_event event{.events = events,
                      .data = {.u64 = static_cast<uint64_t>(&connection - connections_.data())}};
    epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection.socket.get(), &event);
  }

  // In nanoseconds: a generator that spins until the next request takes the CPU from what it measures.
  absl::Status wait(Clock::duration patience) {
    if (options_.requests_per_second > 0 && !idle_.empty()) {
      patience = std::clamp(due() - Clock::now(), Clock::duration(0), patience);
    }
    const timespec timeout{.tv_sec = 0, .tv_nsec = std::chrono::nanoseconds(patience).count()};
    epoll_event events[64];
    const int count = epoll_pwait2(epoll_.get(), events, 64, &timeout, nullptr);
    for (int i = 0; i < count; ++i) {
      Connection& connection = connections_[events[i].data.u64];
      if (events[i].events & EPOLLOUT) {
        write(connection);
        if (connection.written == connection.request.size()) want(connection, EPOLLIN);
      }
      if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        if (auto status = read(connection); !status.ok()) return status;
      }
    }
    return absl::OkStatus();
  }

  absl::Status read(Connection& connection) {
    char buffer[16384];
    const ssize_t size = recv(connection.socket.get(), buffer, sizeof(buffer), 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return absl::OkStatus();
    if (size <= 0) return absl::UnavailableError("the server closed a connection of the load");
    connection.answer.append(buffer, static_cast<size_t>(size));
    const size_t whole = whole_answer(connection.answer);
    if (whole == 0 || !connection.busy) return absl::OkStatus();
    const bool good = connection.answer.starts_with("HTTP/1.1 200");
    connection.answer.erase(0, whole);
    connection.busy = false;
    (good ? result_.requests : result_.failures) += 1;
    result_.events += good ? connection.events : 0;
    result_.ack_micros.push_back(
        std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - connection.started).count());
    idle_.push_back(static_cast<size_t>(&connection - connections_.data()));
    return absl::OkStatus();
  }

  const LoadOptions& options_;
  const NextRequest& next_;
  Descriptor epoll_;
  std::vector<Connection> connections_;
  std::deque<size_t> idle_;
  Clock::time_point start_;
  uint64_t sent_ = 0;
  bool exhausted_ = false;
  LoadResult result_;
};

}  // namespace

absl::StatusOr<LoadResult> run_load(const LoadOptions& options, const NextRequest& next) {
  return Load(options, next).run();
}

int64_t percentile(const std::vector<int64_t>& sorted, double part) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1, static_cast<size_t>(part * static_cast<double>(sorted.size())))];
}

}  // namespace kehu::load
