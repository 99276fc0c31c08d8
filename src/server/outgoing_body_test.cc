#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <thread>

#include "http/workers.h"
#include "server/chunked_body.h"
#include "server/test_server.h"
#include "server/test_socket.h"

namespace kehu::server {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr size_t kPieceBytes = 64 * 1024;

// What became of the bodies of a test.
struct Fate {
  std::atomic<int> begun{0};
  std::atomic<int> pieces{0};
  std::atomic<int> gone{0};
};

struct Script {
  int pieces = 3;              // then the end; -1: for ever
  int fails_at = -1;           // the number of a piece
  int waits_at = -1;           // until it is cancelled
  size_t bytes = kPieceBytes;  // of a piece
  bool says_last = false;      // the last piece does, instead of an empty one behind it
};

// Pieces of one letter each: a, b, c…
class ScriptedBody final : public http::SlowBody {
 public:
  ScriptedBody(Fate& fate, const Script& script) : fate_(fate), script_(script) { ++fate_.begun; }
  ~ScriptedBody() override { ++fate_.gone; }

  absl::StatusOr<http::Piece> next() override {
    if (number_ == script_.fails_at) return absl::DeadlineExceededError("it took too long");
    if (number_ == script_.waits_at) cancelled_.wait(false);
    if (number_ == script_.pieces) return http::Piece{.last = true};
    ++fate_.pieces;
    const char letter = static_cast<char>('a' + number_++ % 26);
    return http::Piece{.bytes = std::string(script_.bytes, letter),
                       .last = script_.says_last && number_ == script_.pieces};
  }
  void cancel() override {
    cancelled_ = true;
    cancelled_.notify_all();
  }

 private:
  Fate& fate_;
  const Script script_;
  int number_ = 0;
  std::atomic<bool> cancelled_{false};
};

class OutgoingBodyTest : public testing::Test {
 protected:
  // A server with a path /body of the script.
  uint16_t serve(const Script& script, Options options = {}) {
    options.log = [this](Severity, std::string_view text) {
      const std::lock_guard lock(mutex_);
      lines_.emplace_back(text);
    };
    std::vector<http::Route> routes = echo_routes();
    routes.push_back({.method = http::Method::kGet,
                      .pattern = "/body",
                      .action = http::NoBody{[this, script](const http::Request&, http::Responder responder) {
                        http::Response response = http::Response::text("first ");
                        response.source = workers_.source(std::make_unique<ScriptedBody>(fate_, script));
                        responder.send(std::move(response));
                      }}});
    server_ = std::make_unique<TestServer>(std::move(routes), std::move(options));
    return server_->port();
  }
  bool all_gone(int bodies = 1) {
    return eventually([&] { return fate_.begun == bodies && fate_.gone == bodies; });
  }
  void TearDown() override {
    server_.reset();
    workers_.stop();
    EXPECT_EQ(fate_.begun, fate_.gone);
  }

  std::vector<std::string> logged() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

  std::mutex mutex_;
  std::vector<std::string> lines_;
  Fate fate_;
  http::Workers workers_{2};
  std::unique_ptr<TestServer> server_;
};

const char kBody[] = "GET /body HTTP/1.1\r\nHost: a\r\n\r\n";
const char kEcho[] = "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n";

// The content of an answer in chunked coding; "broken" when it does not come to its end.
std::string content_of(std::string_view answer) {
  std::string content;
  ChunkedBody body;
  const auto result = body.decode(answer.substr(answer.find("\r\n\r\n") + 4), [&](std::string_view piece) {
    content += piece;
    return true;
  });
  return result.verdict == ChunkedBody::Verdict::kComplete ? content : "broken";
}

std::string three_pieces(size_t bytes = kPieceBytes) {
  return "first " + std::string(bytes, 'a') + std::string(bytes, 'b') + std::string(bytes, 'c');
}

TEST_F(OutgoingBodyTest, ComesInChunksAndTheConnectionGoesOn) {
  for (const size_t bytes : {size_t{1}, size_t{100}, kPieceBytes, size_t{1} << 20}) {
    TestSocket socket(serve({.bytes = bytes}));
    for (int i = 0; i < 3; ++i) {
      socket.send(kBody);
      const std::string answer = socket.receive_until("\r\n0\r\n\r\n");
      EXPECT_THAT(answer.substr(0, 400), HasSubstr("Transfer-Encoding: chunked\r\n"));
      EXPECT_THAT(answer.substr(0, 400),
                  AllOf(Not(HasSubstr("Content-Length")), Not(HasSubstr("Connection:"))));
      EXPECT_TRUE(content_of(answer) == three_pieces(bytes)) << bytes;
    }
  }
  EXPECT_TRUE(all_gone(12));
}

TEST_F(OutgoingBodyTest, PipelinedRequestsWaitForItsEnd) {
  TestSocket socket(serve({}));
  socket.send(std::string(kEcho) + kBody + kEcho + kBody + "GET /echo?last HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string answers = socket.receive_until("GET /echo?last ");
  size_t at = 0;
  for (const char* part : {"GET /echo ", "first ", "0\r\n\r\nHTTP/1.1 200", "GET /echo ", "first ",
                           "0\r\n\r\nHTTP/1.1 200", "GET /echo?last "}) {
    at = answers.find(part, at);
    ASSERT_NE(at, std::string::npos) << part;
  }
}

TEST_F(OutgoingBodyTest, ASlowReaderHoldsTheBodyBackAndNotTheMemory) {
  TestSocket socket(serve({.pieces = -1}));
  socket.send(kBody);
  // What the two sockets hold is the kernel's.
  int before = -1;
  ASSERT_TRUE(eventually([&] {
    const int now = fate_.pieces;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    return now > 0 && now == std::exchange(before, now);
  }));
  EXPECT_LT(before * kPieceBytes, 64u << 20);
  size_t read = 0;
  while (read < (100u << 20)) {
    const std::string bytes = socket.receive();
    ASSERT_FALSE(bytes.empty());
    read += bytes.size();
  }
  EXPECT_GT(fate_.pieces * kPieceBytes, read - (1u << 20));
  { const TestSocket leaves = std::move(socket); }
  EXPECT_TRUE(all_gone());
}

TEST_F(OutgoingBodyTest, AStuckReaderIsCutOff) {
  Options options;
  options.write_timeout = Duration::millis(200);
  options.bytes_per_second_min = 1 << 20;
  TestSocket socket(serve({.pieces = -1}, options));
  socket.send(kBody);
  EXPECT_TRUE(all_gone());
  EXPECT_THAT(logged(), ElementsAre(AllOf(HasSubstr("/body"), HasSubstr("DEADLINE_EXCEEDED"))));
}

TEST_F(OutgoingBodyTest, ForHttp10BeingCutOffIsAReset) {
  Options options;
  options.write_timeout = Duration::millis(200);
  options.bytes_per_second_min = 1 << 20;
  TestSocket socket(serve({.pieces = -1}, options));
  socket.send("GET /body HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(all_gone());
  while (!socket.receive().empty()) {
  }
  EXPECT_TRUE(socket.was_reset());
}

TEST_F(OutgoingBodyTest, AClientThatLeavesEndsIt) {
  TestSocket socket(serve({.waits_at = 1}));
  socket.send(kBody);
  ASSERT_TRUE(eventually([&] { return fate_.pieces == 1; }));
  EXPECT_EQ(fate_.gone, 0);
  { const TestSocket leaves = std::move(socket); }
  EXPECT_TRUE(all_gone());
  EXPECT_EQ((*server_)->stats().connections, 0u);
}

TEST_F(OutgoingBodyTest, AnErrorLeavesTheLastChunkAway) {
  TestSocket socket(serve({.fails_at = 2}));
  socket.send(std::string(kBody) + kEcho);
  const std::string answer = socket.receive_to_end();
  EXPECT_EQ(content_of(answer), "broken");
  EXPECT_THAT(answer, EndsWith("bbb\r\n"));
  EXPECT_TRUE(all_gone());
  EXPECT_THAT(logged(), ElementsAre(AllOf(HasSubstr("/body"), HasSubstr("DEADLINE_EXCEEDED"))));
}

TEST_F(OutgoingBodyTest, HeadHasTheHeaderAlone) {
  TestSocket socket(serve({}));
  socket.send("HEAD /body HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string answer = socket.receive_until("\r\n\r\n");
  EXPECT_THAT(answer, AllOf(HasSubstr("Transfer-Encoding: chunked\r\n"), EndsWith("\r\n\r\n")));
  socket.send(kEcho);
  EXPECT_THAT(socket.receive(), testing::StartsWith("HTTP/1.1 200 OK"));
  EXPECT_TRUE(all_gone());
  EXPECT_EQ(fate_.pieces, 0);
}

TEST_F(OutgoingBodyTest, ForHttp10ItEndsWithTheConnection) {
  TestSocket socket(serve({}));
  socket.send("GET /body HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const std::string answer = socket.receive_to_end();
  EXPECT_THAT(answer.substr(0, 400), AllOf(HasSubstr("Connection: close\r\n"), Not(HasSubstr("Transfer"))));
  EXPECT_TRUE(answer.substr(answer.find("\r\n\r\n") + 4) == three_pieces());
}

TEST_F(OutgoingBodyTest, ForHttp10AnErrorIsAReset) {
  TestSocket socket(serve({.fails_at = 1, .bytes = 10}));
  socket.send("GET /body HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(all_gone());
  while (!socket.receive().empty()) {
  }
  EXPECT_TRUE(socket.was_reset());
}

TEST_F(OutgoingBodyTest, AStopLetsItEnd) {
  TestSocket socket(serve({.pieces = 400}));
  socket.send(kBody);
  ASSERT_TRUE(eventually([&] { return fate_.pieces > 0; }));
  std::thread stopper([&] { (*server_)->stop(); });
  EXPECT_THAT(socket.receive_to_end(), EndsWith("\r\n0\r\n\r\n"));
  stopper.join();
}

TEST_F(OutgoingBodyTest, AStopCutsWhatTakesTooLong) {
  Options options;
  options.stop_grace = Duration::millis(200);
  const uint16_t port = serve({.pieces = -1}, options);
  TestSocket stuck(port);
  stuck.send(kBody);
  ASSERT_TRUE(eventually([&] { return fate_.pieces > 0; }));
  (*server_)->stop();
  EXPECT_TRUE(all_gone());
  EXPECT_THAT(logged(), Contains(AllOf(HasSubstr("/body"), HasSubstr("UNAVAILABLE"))));
}

// What the access log tells of answers.
class AccessLogTest : public OutgoingBodyTest {
 protected:
  // Has room for no more than a part of the content in the sockets, and little patience.
  Options options() {
    Options options;
    options.write_timeout = Duration::millis(200);
    options.bytes_per_second_min = 1u << 30;
    options.access_log = [this](const AccessEntry& entry) {
      const std::lock_guard lock(mutex_);
      entries_.push_back({entry.status, entry.body_bytes, entry.broken_off});
    };
    return options;
  }
  struct Entry {
    int status;
    size_t bytes;
    bool broken_off;
  };
  std::vector<Entry> entries(size_t count = 1) {
    EXPECT_TRUE(eventually([&] {
      const std::lock_guard lock(mutex_);
      return entries_.size() >= count;
    }));
    const std::lock_guard lock(mutex_);
    return entries_;
  }
  void expect_broken_off(size_t whole, size_t received) {
    const std::vector<Entry> found = entries();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].status, 200);
    EXPECT_TRUE(found[0].broken_off);
    EXPECT_LT(found[0].bytes, whole);
    EXPECT_LE(found[0].bytes, received) << "the socket took no more";
    EXPECT_GE(found[0].bytes + 1000, received) << "but for what stands around the content";
  }

  std::vector<Entry> entries_;
};

TEST_F(AccessLogTest, HasAWholeAnswerAtItsEnd) {
  TestSocket socket(serve({}, options()));
  socket.send(std::string(kBody) + kEcho);
  socket.receive_until("GET /echo ");
  EXPECT_TRUE(all_gone());
  const std::vector<Entry> found = entries(2);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].bytes, three_pieces().size());
  EXPECT_FALSE(found[0].broken_off);
  EXPECT_FALSE(found[1].broken_off);
  EXPECT_THAT(logged(), testing::IsEmpty());
}

TEST_F(AccessLogTest, SaysThatAReaderWasCutOff) {
  constexpr size_t kMuch = 64u << 20;
  struct Case {
    const char* name;
    Script script;
  };
  for (const Case& c : {Case{"in the last piece", {.pieces = 1, .bytes = kMuch, .says_last = true}},
                        Case{"before it", {.pieces = 2, .bytes = kMuch}}}) {
    SCOPED_TRACE(c.name);
    entries_.clear();
    lines_.clear();
    TestSocket socket(serve(c.script, options()));
    socket.send(kBody);
    entries();
    expect_broken_off(kMuch, socket.receive_to_end().size());
    EXPECT_THAT(logged(), ElementsAre(AllOf(HasSubstr("/body"), HasSubstr("DEADLINE_EXCEEDED"))));
  }
}

TEST_F(AccessLogTest, SaysThatTheBodyWasNotMadeToItsEnd) {
  TestSocket socket(serve({.fails_at = 2}, options()));
  socket.send(kBody);
  socket.receive_to_end();
  const std::vector<Entry> found = entries();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].bytes, 6 + 2 * kPieceBytes);
  EXPECT_TRUE(found[0].broken_off);
}

TEST_F(AccessLogTest, SaysThatTheClientLeft) {
  TestSocket socket(serve({.pieces = 1, .bytes = 64u << 20, .says_last = true}, options()));
  socket.send(kBody);
  socket.receive();
  { const TestSocket leaves = std::move(socket); }
  const std::vector<Entry> found = entries();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(found[0].broken_off);
}

// Its length was announced, so the client knows by itself.
TEST_F(AccessLogTest, SaysThatALargeAnswerWasCutOff) {
  std::vector<http::Route> routes;
  routes.push_back({.method = http::Method::kGet,
                    .pattern = "/large",
                    .action = http::NoBody{[](const http::Request&, http::Responder responder) {
                      responder.send(http::Response::text(std::string(64u << 20, 'x')));
                    }}});
  TestServer server(std::move(routes), options());
  TestSocket socket(server.port());
  socket.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  entries();
  expect_broken_off(64u << 20, socket.receive_to_end().size());
}

// A server with a path /work, whose requests wait for their answer here.
class LeaveTest : public testing::Test {
 protected:
  LeaveTest() {
    std::vector<http::Route> routes = echo_routes();
    routes.push_back({.method = http::Method::kGet,
                      .pattern = "/work",
                      .action = http::NoBody{[this](const http::Request&, http::Responder responder) {
                        responder.on_leave([this] { ++left_; });
                        const std::lock_guard lock(mutex_);
                        waiting_.push_back(std::move(responder));
                      }}});
    Options options;
    options.stop_grace = Duration::millis(200);
    server_ = std::make_unique<TestServer>(std::move(routes), std::move(options));
  }
  ~LeaveTest() override { waiting_.clear(); }

  bool wait_for(size_t requests) {
    return eventually([&] {
      const std::lock_guard lock(mutex_);
      return waiting_.size() == requests;
    });
  }

  std::atomic<int> left_{0};
  std::mutex mutex_;
  std::vector<http::Responder> waiting_;
  std::unique_ptr<TestServer> server_;
};

const char kWork[] = "GET /work HTTP/1.1\r\nHost: a\r\n\r\n";

TEST_F(LeaveTest, WhoLeavesBeforeTheAnswerIsMissed) {
  {
    TestSocket socket(server_->port());
    socket.send(kWork);
    ASSERT_TRUE(wait_for(1));
  }
  EXPECT_TRUE(eventually([&] { return left_ == 1; }));
  waiting_[0].send(http::Response::text("late"));
  EXPECT_TRUE(eventually([&] { return (*server_)->stats().connections == 0; }));
}

TEST_F(LeaveTest, WhoLeavesBehindTheAnswerIsNot) {
  {
    TestSocket socket(server_->port());
    socket.send(std::string(kWork) + kEcho);
    ASSERT_TRUE(wait_for(1));
    waiting_[0].send(http::Response::text("here"));
    EXPECT_THAT(socket.receive_until("here"), HasSubstr("200 OK"));
    socket.send(kWork);
    ASSERT_TRUE(wait_for(2));
    waiting_[1].send(http::Response::text("there"));
    EXPECT_THAT(socket.receive_until("there"), HasSubstr("200 OK"));
  }
  EXPECT_TRUE(eventually([&] { return (*server_)->stats().connections == 0; }));
  EXPECT_EQ(left_, 0);
}

TEST_F(LeaveTest, AStopIsALeave) {
  TestSocket socket(server_->port());
  socket.send(kWork);
  ASSERT_TRUE(wait_for(1));
  (*server_)->stop();
  EXPECT_EQ(left_, 1);
}

}  // namespace
}  // namespace kehu::server
