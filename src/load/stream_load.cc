#include "load/stream_load.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <deque>
#include <memory>
#include <vector>

#include "base/text.h"
#include "websocket/frames.h"

namespace kehu::load {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kUnsentBytes = 256 * 1024;
constexpr auto kPatience = std::chrono::seconds(20);
constexpr uint8_t kMask[4] = {0x5a, 0xc3, 0x17, 0x9e};

// The number behind `"name":` in an ack.
uint64_t number_of(std::string_view ack, std::string_view name) {
  const size_t at = ack.find(cat("\"", name, "\":"));
  if (at == ack.npos) return 0;
  const char* const begin = ack.data() + at + name.size() + 3;
  uint64_t number = 0;
  std::from_chars(begin, ack.data() + ack.size(), number);
  return number;
}

class Stream {
 public:
  Stream(const StreamLoadOptions& options, StreamLoadResult& result) : options_(options), result_(result) {}
  ~Stream() {
    if (socket_ >= 0) ::close(socket_);
  }

  absl::Status open();
  bool has_room() const {
    return out_.size() - sent_ < kUnsentBytes && under_way_bytes_ < options_.unacknowledged_max;
  }
  void add(const NextMessage& next);
  absl::Status move();
  pollfd wants() const {
    return {socket_, static_cast<short>(POLLIN | (sent_ < out_.size() ? POLLOUT : 0)), 0};
  }
  bool is_done() const { return sent_ == out_.size() && under_way_.empty(); }

 private:
  absl::Status send();
  absl::Status receive();
  absl::Status take_frames();
  void take_ack(std::string_view ack);

  const StreamLoadOptions& options_;
  StreamLoadResult& result_;
  int socket_ = -1;
  std::string message_;
  std::string out_;
  size_t sent_ = 0;
  std::string in_;
  std::deque<size_t> under_way_;  // bytes of each message without an ack
  size_t under_way_bytes_ = 0;
  uint64_t acked_ = 0;
};

absl::Status Stream::open() {
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(options_.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    return failure(absl::StatusCode::kUnavailable, "cannot connect to port ", options_.port, ": ",
                   std::strerror(errno));
  }
  const int one = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  const std::string request = cat("GET ", options_.path,
                                  " HTTP/1.1\r\nHost: kehu\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
                                  "dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  char answer[4096];
  ssize_t size = ::send(socket_, request.data(), request.size(), MSG_NOSIGNAL);
  if (size > 0) size = ::recv(socket_, answer, sizeof answer, 0);
  if (size <= 0 || !std::string_view(answer, static_cast<size_t>(size)).starts_with("HTTP/1.1 101")) {
    return absl::UnavailableError("the server does not open a WebSocket");
  }
  ::fcntl(socket_, F_SETFL, O_NONBLOCK);
  return absl::OkStatus();
}

void Stream::add(const NextMessage& next) {
  message_.clear();
  next(message_);
  if (sent_ == out_.size()) {
    out_.clear();
    sent_ = 0;
  }
  const size_t begin = out_.size();
  websocket::append_frame(websocket::Opcode::kText, message_, out_);
  // A client's frame has a mask between header and payload.
  const size_t head = out_.size() - begin - message_.size();
  out_[begin + 1] = static_cast<char>(out_[begin + 1] | 0x80);
  out_.insert(begin + head, reinterpret_cast<const char*>(kMask), sizeof kMask);
  websocket::unmask({out_.data() + out_.size() - message_.size(), message_.size()}, kMask, 0);
  under_way_.push_back(message_.size());
  under_way_bytes_ += message_.size();
}

absl::Status Stream::move() {
  if (absl::Status status = send(); !status.ok()) return status;
  return receive();
}

absl::Status Stream::send() {
  while (sent_ < out_.size()) {
    const ssize_t size = ::send(socket_, out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return absl::OkStatus();
    if (size <= 0) return absl::UnavailableError("the server closed a stream of the load");
    sent_ += static_cast<size_t>(size);
  }
  return absl::OkStatus();
}

absl::Status Stream::receive() {
  char bytes[16384];
  const ssize_t size = ::recv(socket_, bytes, sizeof bytes, 0);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return absl::OkStatus();
  if (size <= 0) return absl::UnavailableError("the server closed a stream of the load");
  in_.append(bytes, static_cast<size_t>(size));
  return take_frames();
}

// Acks are shorter than 65,536 bytes.
absl::Status Stream::take_frames() {
  size_t at = 0;
  while (in_.size() - at >= 4) {
    const auto byte = [&](size_t i) { return static_cast<uint8_t>(in_[at + i]); };
    const bool wide = byte(1) == 126;
    const size_t head = wide ? 4 : 2;
    const size_t size = wide ? byte(2) * 256u + byte(3) : byte(1);
    if (in_.size() - at < head + size) break;
    const std::string_view payload = std::string_view(in_).substr(at + head, size);
    if ((byte(0) & 15) == static_cast<uint8_t>(websocket::Opcode::kClose)) {
      return failure(absl::StatusCode::kUnavailable, "the server closed a stream: ", payload.substr(2));
    }
    take_ack(payload);
    at += head + size;
  }
  in_.erase(0, at);
  return absl::OkStatus();
}

void Stream::take_ack(std::string_view ack) {
  result_.events += number_of(ack, "accepted");
  result_.failures += number_of(ack, "rejected") + number_of(ack, "repeats") + number_of(ack, "conflicts");
  for (const uint64_t number = number_of(ack, "ack"); acked_ < number && !under_way_.empty(); ++acked_) {
    under_way_bytes_ -= under_way_.front();
    under_way_.pop_front();
    ++result_.messages;
  }
}

}  // namespace

absl::StatusOr<StreamLoadResult> run_stream_load(const StreamLoadOptions& options, const NextMessage& next) {
  StreamLoadResult result;
  std::vector<std::unique_ptr<Stream>> streams;
  for (int i = 0; i < options.connections; ++i) {
    streams.push_back(std::make_unique<Stream>(options, result));
    if (absl::Status status = streams.back()->open(); !status.ok()) return status;
  }
  const auto start = Clock::now();
  const auto end = start + std::chrono::microseconds(options.length.micros());
  for (;;) {
    const bool sends = Clock::now() < end;
    bool done = !sends;
    bool busy = false;
    for (const auto& stream : streams) {
      for (int i = 0; sends && i < 64 && stream->has_room(); ++i) stream->add(next);
      if (absl::Status status = stream->move(); !status.ok()) return status;
      done = done && stream->is_done();
      busy = busy || (sends && stream->has_room());
    }
    if (done) break;
    if (Clock::now() > end + kPatience) return absl::DeadlineExceededError("acks of the load are missing");
    std::vector<pollfd> wanted;
    for (const auto& stream : streams) wanted.push_back(stream->wants());
    if (!busy) ::poll(wanted.data(), wanted.size(), 10);
  }
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return result;
}

}  // namespace kehu::load
