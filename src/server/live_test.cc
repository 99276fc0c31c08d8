#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "http/live_channel.h"
#include "server/test_server.h"
#include "server/test_socket.h"

// WebSocket over raw sockets, frame by frame.
namespace kehu::server {
namespace {

using http::CloseCode;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kUpgrade =
    "GET /live?topic=events HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

enum Opcode : unsigned char { kMore = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };

// A frame as a client sends it: masked (with zeros, which changes nothing).
std::string frame(Opcode opcode, std::string_view payload) {
  std::string out{static_cast<char>(0x80 | opcode)};
  if (payload.size() < 126) {
    out.push_back(static_cast<char>(0x80 | payload.size()));
  } else {
    const bool wide = payload.size() > 65535;
    out.push_back(static_cast<char>(0x80 | (wide ? 127 : 126)));
    for (int shift = wide ? 56 : 8; shift >= 0; shift -= 8)
      out.push_back(static_cast<char>(payload.size() >> shift & 255));
  }
  return out.append(4, '\0').append(payload);
}

// Without the bit that ends a message; more of it comes in frames of opcode 0.
std::string unfinished(Opcode opcode, std::string_view payload) {
  std::string out = frame(opcode, payload);
  out[0] = static_cast<char>(opcode);
  return out;
}

std::string close_frame(uint16_t code) {
  return frame(kClose, {std::string{static_cast<char>(code >> 8), static_cast<char>(code & 255)}});
}

struct Frame {
  int opcode = 0;  // 0: none came
  std::string payload;
  int code() const {
    return payload.size() < 2
               ? 0
               : static_cast<unsigned char>(payload[0]) * 256 + static_cast<unsigned char>(payload[1]);
  }
};

class LiveClient {
 public:
  explicit LiveClient(uint16_t port) : socket_(port) {
    socket_.send(kUpgrade);
    held_ = socket_.receive_until("\r\n\r\n");
    const size_t end = held_.find("\r\n\r\n");
    answer_ = held_.substr(0, end);
    held_.erase(0, end + 4);
  }

  const std::string& answer() const { return answer_; }
  void send(std::string_view bytes) { socket_.send(bytes); }
  bool closed() { return socket_.closed_within(3000); }

  Frame next(int wait_ms = 3000) {
    Frame frame;
    if (!fill(2, wait_ms)) return {};
    size_t at = 2;
    size_t size = static_cast<unsigned char>(held_[1]);
    if (size >= 126) {
      const size_t width = size == 126 ? 2 : 8;
      if (!fill(2 + width, wait_ms)) return {};
      for (size = 0; at < 2 + width; ++at) size = size << 8 | static_cast<unsigned char>(held_[at]);
    }
    if (!fill(at + size, wait_ms)) return {};
    frame.opcode = held_[0] & 15;
    frame.payload = held_.substr(at, size);
    held_.erase(0, at + size);
    return frame;
  }

 private:
  bool fill(size_t size, int wait_ms) {
    while (held_.size() < size) {
      const std::string more = socket_.receive(wait_ms);
      if (more.empty()) return false;
      held_ += more;
    }
    return true;
  }

  TestSocket socket_;
  std::string answer_;
  std::string held_;
};

// What the channels of one test saw and can be asked to do.
struct Journal {
  std::mutex mutex;
  std::vector<std::string> lines;
  std::vector<std::shared_ptr<http::LiveSink>> sinks;

  void add(std::string line) {
    const std::lock_guard lock(mutex);
    lines.push_back(std::move(line));
  }
  std::vector<std::string> read() {
    const std::lock_guard lock(mutex);
    return lines;
  }
  bool has(const std::string& line) {
    for (int i = 0; i < 600; ++i) {
      const auto now = read();
      if (std::find(now.begin(), now.end(), line) != now.end()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }
  std::shared_ptr<http::LiveSink> sink(size_t index) {
    const std::lock_guard lock(mutex);
    return sinks.at(index);
  }
};

// Echoes; "bye" closes with 4001.
class EchoChannel final : public http::LiveChannel {
 public:
  explicit EchoChannel(Journal& journal) : journal_(journal) {}
  void on_open(const http::Request& request, std::shared_ptr<http::LiveSink> sink) override {
    sink_ = sink;
    sink->send("topic " + *request.query("topic"));
    const std::lock_guard lock(journal_.mutex);
    journal_.sinks.push_back(std::move(sink));
  }
  void on_text(std::string_view text) override {
    if (text == "bye") return sink_->close(static_cast<CloseCode>(4001), "as you wish");
    sink_->send("echo " + std::string(text));
  }
  std::string on_caught_up(uint64_t dropped) override { return "missed " + std::to_string(dropped); }
  void on_close(CloseCode code) override { journal_.add("close " + std::to_string(static_cast<int>(code))); }

 private:
  Journal& journal_;
  std::shared_ptr<http::LiveSink> sink_;
};

class LiveTest : public testing::Test {
 protected:
  std::vector<http::Route> routes() {
    return {{.method = http::Method::kGet,
             .pattern = "/live",
             .action = http::LiveUpgrade{[this] { return std::make_unique<EchoChannel>(journal_); }}}};
  }

  Journal journal_;
};

TEST_F(LiveTest, Echo) {
  TestServer server(routes());
  LiveClient client(server.port());
  EXPECT_THAT(client.answer(), StartsWith("HTTP/1.1 101 "));
  EXPECT_THAT(client.answer(), HasSubstr("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));  // RFC 6455, 1.3
  EXPECT_EQ(client.next().payload, "topic events");
  client.send(frame(kText, "hello") + frame(kText, "客户"));
  EXPECT_EQ(client.next().payload, "echo hello");
  EXPECT_EQ(client.next().payload, "echo 客户");
  client.send(frame(kPing, "p"));
  EXPECT_EQ(client.next().opcode, kPong);
  const std::string large(60'000, 'l');
  client.send(frame(kText, large));
  EXPECT_TRUE(client.next().payload == "echo " + large);
  EXPECT_EQ(server->stats().live, 1u);
}

TEST_F(LiveTest, WithoutAnUpgradeItIsRefused) {
  TestServer server(routes());
  TestSocket plain(server.port());
  plain.send("GET /live?topic=x HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string answer = plain.receive();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 426 "));
  EXPECT_THAT(answer, HasSubstr("Upgrade: websocket\r\n"));
  TestSocket hasty(server.port());
  hasty.send(std::string(kUpgrade) + "more");
  EXPECT_THAT(hasty.receive(), StartsWith("HTTP/1.1 400 "));
}

struct CloseCase {
  const char* name;
  std::string given;
  int want_frame;  // code in the server's close frame
  int want_channel;
};

TEST_F(LiveTest, CloseCodes) {
  const CloseCase cases[] = {
      {"normal", close_frame(1000), 1000, 1000},
      {"going away", close_frame(1001), 1001, 1001},
      {"own code", close_frame(4321), 4321, 4321},
      {"by the channel", frame(kText, "bye"), 4001, 4001},
      {"binary", frame(kBinary, "x"), 1003, 1003},
      {"too big", frame(kText, std::string(70'000, 'x')), 1009, 1009},
      {"not UTF-8", frame(kText, "\xff\xfe"), 1007, 1007},
      {"not masked", std::string("\x81\x01x", 3), 1002, 1002},
  };
  for (const CloseCase& c : cases) {
    SCOPED_TRACE(c.name);
    journal_.lines.clear();
    TestServer server(routes());
    LiveClient client(server.port());
    client.next();
    client.send(c.given);
    const Frame got = client.next();
    EXPECT_EQ(got.opcode, kClose);
    EXPECT_EQ(got.code(), c.want_frame);
    client.send(close_frame(static_cast<uint16_t>(c.want_frame)));
    EXPECT_TRUE(client.closed());
    EXPECT_TRUE(journal_.has("close " + std::to_string(c.want_channel)));
  }
}

TEST_F(LiveTest, ABrokenConnectionIsAbnormal) {
  TestServer server(routes());
  { LiveClient client(server.port()); }
  EXPECT_TRUE(journal_.has("close 1006"));
  EXPECT_FALSE(journal_.sink(0)->send("nobody hears"));
}

TEST_F(LiveTest, ASlowReaderLosesMessagesNotMemory) {
  Options options;
  options.live_queue_bytes = 100'000;
  TestServer server(routes(), options);
  LiveClient client(server.port());
  client.next();
  const auto sink = journal_.sink(0);
  const auto text = std::make_shared<const std::string>(std::string(10'000, 'm'));
  uint64_t sent = 0;
  for (int i = 0; i < 5000; ++i) sent += sink->send(text) ? 1 : 0;
  const uint64_t dropped = sink->dropped();
  EXPECT_EQ(sent + dropped, 5000u);
  EXPECT_GT(dropped, 100u);
  uint64_t got = 0;
  uint64_t missed = 0;
  while (missed + got < 5000) {
    const Frame next = client.next();
    ASSERT_EQ(next.opcode, kText);
    if (next.payload.starts_with("missed ")) {
      missed += std::stoull(next.payload.substr(7));
    } else {
      ++got;
    }
  }
  EXPECT_EQ(missed, dropped);
  EXPECT_EQ(got, sent);
}

TEST_F(LiveTest, ManyThreadsMaySend) {
  TestServer server(routes());
  LiveClient client(server.port());
  client.next();
  const auto sink = journal_.sink(0);
  std::vector<std::thread> senders;
  for (int t = 0; t < 4; ++t) {
    senders.emplace_back([&] {
      for (int i = 0; i < 500; ++i) sink->send("x");
    });
  }
  int got = 0;
  while (got < 2000 && client.next().payload == "x") ++got;
  for (std::thread& sender : senders) sender.join();
  EXPECT_EQ(got, 2000);
}

TEST_F(LiveTest, StopSaysGoingAway) {
  TestServer server(routes());
  LiveClient client(server.port());
  client.next();
  const auto start = std::chrono::steady_clock::now();
  std::thread stopper([&] { server->stop(); });
  const Frame got = client.next();
  EXPECT_EQ(got.opcode, kClose);
  EXPECT_EQ(got.code(), 1001);
  client.send(close_frame(1001));
  stopper.join();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(4));
  EXPECT_TRUE(journal_.has("close 1001"));
}

TEST_F(LiveTest, ASilentClientIsPingedAndThenClosed) {
  Options options;
  options.live_idle = Duration::millis(400);
  TestServer server(routes(), options);
  LiveClient client(server.port());
  client.next();
  EXPECT_EQ(client.next().opcode, kPing);
  EXPECT_TRUE(journal_.has("close 1006"));
}

TEST_F(LiveTest, PongsDoNotPileUp) {
  TestServer server(routes());
  LiveClient client(server.port());
  client.next();
  constexpr int kPings = 300'000;
  std::string pings;
  for (int i = 0; i < 1000; ++i) pings += frame(kPing, std::string(125, 'p'));
  for (int i = 0; i < kPings / 1000; ++i) client.send(pings);
  client.send(frame(kText, "hello"));
  int pongs = 0;
  Frame got = client.next();
  for (; got.opcode == kPong; got = client.next()) ++pongs;
  EXPECT_EQ(got.payload, "echo hello");
  EXPECT_GT(pongs, 100);
  EXPECT_LT(pongs, kPings / 2);
}

Options impatient() {
  Options options;
  options.silence_timeout = Duration::millis(400);
  return options;
}

struct SilenceCase {
  const char* name;
  std::string begun;
  std::string again;  // every 100 ms
  int want_close;
};

TEST_F(LiveTest, SilenceWithinAMessageIsCutOff) {
  const std::string some(30'000, 'x');
  const SilenceCase cases[] = {
      {"a message of fragments", unfinished(kText, some), "", 1008},
      {"and pongs", unfinished(kText, some), frame(kPong, ""), 1008},
      {"and fragments without bytes", unfinished(kText, some), unfinished(kMore, ""), 1008},
      {"a frame", frame(kText, some).substr(0, 20'000), "", 1008},
      {"the head of a frame", frame(kText, some).substr(0, 3), "", 1008},
      {"half a ping in a message", unfinished(kText, some) + frame(kPing, "ping").substr(0, 8), "", 1008},
      {"it goes on", unfinished(kText, some), unfinished(kMore, "x"), 0},
      {"nothing is unfinished", frame(kText, some), frame(kPong, ""), 0},
  };
  for (const SilenceCase& c : cases) {
    SCOPED_TRACE(c.name);
    TestServer server(routes(), impatient());
    LiveClient client(server.port());
    client.next();
    client.send(c.begun);
    Frame got;
    for (int i = 0; i < 12 && got.opcode != kClose; ++i) {
      client.send(c.again);
      got = client.next(100);
    }
    EXPECT_EQ(got.code(), c.want_close);
    EXPECT_EQ(server->stats().live, c.want_close == 0 ? 1u : 0u);
  }
}

// One that goes on is still held to the average.
TEST_F(LiveTest, AMessageThatComesTooSlowlyIsCutOff) {
  Options options;
  options.body_timeout = Duration::millis(300);
  TestServer server(routes(), options);
  LiveClient client(server.port());
  client.next();
  client.send(unfinished(kText, "x"));
  Frame got;
  for (int i = 0; i < 30 && got.opcode != kClose; ++i) {
    client.send(unfinished(kMore, "x") + frame(kPong, std::string(125, 'p')));
    got = client.next(50);
  }
  EXPECT_EQ(got.code(), 1008);
}

TEST_F(LiveTest, UnfinishedMessagesShareTheMemoryOfBodies) {
  Options options;
  options.body_memory_bytes = 150'000;
  TestServer server(routes(), options);
  const std::string some(40'000, 'x');
  std::vector<std::unique_ptr<LiveClient>> clients;
  int refused = 0;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(std::make_unique<LiveClient>(server.port()));
    clients.back()->next();
    clients.back()->send(unfinished(kText, some) + frame(kPing, ""));
    const Frame got = clients.back()->next();
    if (got.opcode == kPong && clients.back()->next(100).code() != 1013) continue;
    ++refused;
  }
  EXPECT_GE(refused, 5);
  EXPECT_LE(refused, 7);
  EXPECT_EQ(server->stats().bodies_refused, static_cast<uint64_t>(refused));
  EXPECT_EQ(server->stats().live, static_cast<uint64_t>(8 - refused));
  EXPECT_LE(server->stats().body_bytes, options.body_memory_bytes);
  EXPECT_GE(server->stats().body_bytes, some.size());
  // A message that comes whole needs none of it; one that ends gives it back, with the connection open.
  LiveClient small(server.port());
  small.next();
  small.send(frame(kText, "hello"));
  EXPECT_EQ(small.next().payload, "echo hello");
  clients.front()->send(frame(kMore, "end"));
  EXPECT_EQ(clients.front()->next().payload, "echo " + some + "end");
  clients.resize(1);
  for (int i = 0; i < 600 && server->stats().body_bytes != 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(server->stats().body_bytes, 0u);
  EXPECT_EQ(server->stats().live, 2u);
}

}  // namespace
}  // namespace kehu::server
