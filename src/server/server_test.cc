#include "server/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <thread>

#include "http/problem.h"
#include "server/test_server.h"
#include "server/test_socket.h"

namespace kehu::server {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kGet = "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n";

std::string post(std::string_view path, std::string_view body, std::string_view fields = "") {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(fields) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

size_t occurrences(std::string_view text, std::string_view what) {
  size_t count = 0;
  for (size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

int64_t elapsed_ms(std::chrono::steady_clock::time_point since) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - since)
      .count();
}

struct AnswerCase {
  const char* name;
  std::string given;
  const char* status;
  std::vector<const char*> has;
  bool closes;
};

TEST(Server, Answers) {
  std::vector<http::Route> routes = echo_routes(1000);
  routes.push_back({.method = http::Method::kGet, .pattern = "/secret", .action = http::NoBody{echo()}});
  routes.push_back({.method = http::Method::kGet,
                    .pattern = "/empty",
                    .action = http::NoBody{[](const http::Request&, http::Responder responder) {
                      responder.send(http::Response::no_content());
                    }}});
  routes.push_back({.method = http::Method::kGet,
                    .pattern = "/header",
                    .action = http::NoBody{[](const http::Request& request, http::Responder responder) {
                      http::Response response;
                      response.with("X-Echo", *request.query("v"));
                      responder.send(std::move(response));
                    }}});
  routes.push_back({.method = http::Method::kGet,
                    .pattern = "/forgotten",
                    .action = http::NoBody{[](const http::Request&, http::Responder) {}}});
  TestServer server(std::move(routes), {},
                    [](const http::Route& route, const http::Request&) -> http::Admission {
                      if (route.pattern != "/secret") return {};
                      return {.refusal = to_response(http::Problem::unauthorized("send the token"))};
                    });
  const AnswerCase cases[] = {
      {"get", std::string(kGet), "200 OK", {"Content-Length: 10\r\n", "Date: ", "\r\n\r\nGET /echo "}, false},
      {"post", post("/echo?a", "hello"), "200 OK", {"\r\n\r\nPOST /echo?a hello"}, false},
      {"head", "HEAD /echo HTTP/1.1\r\nHost: a\r\n\r\n", "200 OK", {"Content-Length: 11\r\n"}, false},
      {"no content", "GET /empty HTTP/1.1\r\nHost: a\r\n\r\n", "204 No Content", {}, false},
      {"close",
       "GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
       "200 OK",
       {"Connection: close\r\n"},
       true},
      {"1.0", "GET /echo HTTP/1.0\r\n\r\n", "200 OK", {"Connection: close\r\n"}, true},
      {"1.0 keeps alive",
       "GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
       "200 OK",
       {"Connection: keep-alive\r\n"},
       false},
      {"404", "GET /none HTTP/1.1\r\nHost: a\r\n\r\n", "404 Not Found", {"\"code\":\"no_route\""}, false},
      {"404 with a body", post("/none", "hello"), "404 Not Found", {}, false},
      {"405",
       "DELETE /echo HTTP/1.1\r\nHost: a\r\n\r\n",
       "405 Method Not Allowed",
       {"Allow: GET, HEAD, POST\r\n"},
       false},
      {"unknown method",
       "BREW /echo HTTP/1.1\r\nHost: a\r\n\r\n",
       "501 Not Implemented",
       {"unknown_method"},
       false},
      {"gate", "GET /secret HTTP/1.1\r\nHost: a\r\n\r\n", "401 Unauthorized", {"send the token"}, false},
      {"too large",
       post("/echo", std::string(1001, 'x')),
       "413 Content Too Large",
       {"body_too_large"},
       false},
      {"announced too large",
       "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n",
       "413 Content Too Large",
       {"Connection: close\r\n"},
       true},
      {"chunks too large",
       "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n" + std::string(1024, 'x'),
       "413 Content Too Large",
       {"body_too_large"},
       true},
      {"as large as allowed", post("/echo", std::string(1000, 'x')), "200 OK", {}, false},
      {"chunks",
       "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
       "200 OK",
       {"POST /echo abc"},
       false},
      {"header injection",
       "GET /header?v=a%0d%0aX-Evil:%20b HTTP/1.1\r\nHost: a\r\n\r\n",
       "200 OK",
       {"X-Echo: a  X-Evil: b\r\n"},
       false},
      {"dropped responder",
       "GET /forgotten HTTP/1.1\r\nHost: a\r\n\r\n",
       "500 Internal Server Error",
       {"\"code\":\"internal\""},
       false},
  };
  for (const AnswerCase& c : cases) {
    SCOPED_TRACE(c.name);
    TestSocket socket(server.port());
    socket.send(c.given);
    const std::string answer = socket.receive();
    EXPECT_THAT(answer, StartsWith(std::string("HTTP/1.1 ") + c.status + "\r\n"));
    for (const char* part : c.has) EXPECT_THAT(answer, HasSubstr(part));
    if (c.closes) {
      socket.finish_sending();
      EXPECT_TRUE(socket.closed_within(3000));
    } else {
      socket.send(kGet);
      EXPECT_THAT(socket.receive(), EndsWith("GET /echo "));
    }
  }
}

TEST(Server, HeadAndBodilessAnswersHaveNoContent) {
  TestServer server(echo_routes());
  TestSocket socket(server.port());
  socket.send("HEAD /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(socket.receive_to_end(), EndsWith("\r\n\r\n"));
}

TEST(Server, ABodyInPiecesIsWaitedFor) {
  TestServer server(echo_routes());
  TestSocket socket(server.port());
  const std::string request = post("/echo", std::string(100'000, 'z'));
  for (size_t at = 0; at < request.size(); at += 9999) {
    socket.send(std::string_view(request).substr(at, 9999));
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  std::string answer;
  while (answer.size() < 100'000) answer += socket.receive();
  EXPECT_EQ(occurrences(answer, "z"), 100'000u);
}

TEST(Server, SaysContinueOnlyWhenItWantsTheBody) {
  TestServer server(echo_routes(1000));
  TestSocket wanted(server.port());
  wanted.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(wanted.receive(), "HTTP/1.1 100 Continue\r\n\r\n");
  wanted.send("hello");
  EXPECT_THAT(wanted.receive(), EndsWith("POST /echo hello"));
  TestSocket unwanted(server.port());
  unwanted.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_THAT(unwanted.receive(), StartsWith("HTTP/1.1 413 "));
}

TEST(Server, PipelinedRequestsAreAnsweredInOrder) {
  TestServer server(echo_routes());
  TestSocket socket(server.port());
  std::string requests;
  for (int i = 0; i < 1000; ++i) requests += post("/echo", "<" + std::to_string(i) + ">");
  requests += "GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  std::thread writer([&] { socket.send(requests); });
  const std::string answers = socket.receive_to_end();
  writer.join();
  size_t at = 0;
  for (int i = 0; i < 1000; ++i) {
    at = answers.find("<" + std::to_string(i) + ">", at);
    ASSERT_NE(at, std::string::npos) << i;
  }
  EXPECT_EQ(occurrences(answers, "HTTP/1.1 200 OK"), 1001u);
}

// Answers from a thread of its own, in batches, as the log thread does.
class LaterThread {
 public:
  LaterThread() : thread_([this] { run(); }) {}
  ~LaterThread() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

  http::Handler handler() {
    return [this](const http::Request& request, http::Responder responder) {
      const std::lock_guard lock(mutex_);
      waiting_.emplace_back(std::move(responder), std::string(request.body));
      wake_.notify_one();
    };
  }

 private:
  void run() {
    for (;;) {
      std::vector<std::pair<http::Responder, std::string>> taken;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return done_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        taken.swap(waiting_);
      }
      const http::AnswerBatch batch;
      for (auto& [responder, body] : taken) responder.send(http::Response::text("later " + body));
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::pair<http::Responder, std::string>> waiting_;
  bool done_ = false;
  std::thread thread_;
};

TEST(Server, AnswersFromAnotherThread) {
  LaterThread later;
  TestServer server({{.method = http::Method::kPost,
                      .pattern = "/later",
                      .action = http::BufferedBody{1 << 20, later.handler()}}});
  std::vector<std::thread> clients;
  std::atomic<int> right{0};
  for (int c = 0; c < 8; ++c) {
    clients.emplace_back([&, c] {
      TestSocket socket(server.port());
      for (int i = 0; i < 200; ++i) {
        const std::string body = std::to_string(c) + "/" + std::to_string(i) + ";";
        // Pipelined in pairs: the second waits for the first one's answer.
        socket.send(post("/later", body) + post("/later", "again " + body));
        const std::string answers = socket.receive_until("later again " + body);
        if (answers.find("later " + body) < answers.find("later again " + body)) ++right;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(right, 1600);
  EXPECT_EQ(server->stats().answered[2], 3200u);
}

TEST(Server, AnswersForClientsThatLeftAreDropped) {
  LaterThread later;
  TestServer server({{.method = http::Method::kPost,
                      .pattern = "/later",
                      .action = http::BufferedBody{1 << 20, later.handler()}}});
  for (int i = 0; i < 200; ++i) TestSocket(server.port()).send(post("/later", std::to_string(i)));
  EXPECT_TRUE(eventually([&] { return server->stats().connections == 0; }));
  TestSocket socket(server.port());
  socket.send(post("/later", "here"));
  EXPECT_THAT(socket.receive(), EndsWith("later here"));
}

TEST(Server, LargeAnswersToSlowReaders) {
  const std::string content(30'000'000, 'z');
  TestServer server({{.method = http::Method::kGet,
                      .pattern = "/large",
                      .action = http::NoBody{[&](const http::Request&, http::Responder responder) {
                        responder.send(http::Response::fixed("text/plain", content));
                      }}}});
  TestSocket socket(server.port());
  socket.send(
      "GET /large HTTP/1.1\r\nHost: a\r\n\r\nGET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const std::string answers = socket.receive_to_end();
  EXPECT_EQ(occurrences(answers, "HTTP/1.1 200 OK"), 2u);
  EXPECT_GT(answers.size(), 60'000'000u);
}

Options impatient() {
  Options options;
  options.header_timeout = options.body_timeout = options.write_timeout = options.silence_timeout =
      Duration::millis(200);
  options.idle_timeout = Duration::millis(400);
  options.bytes_per_second_min = 50'000;
  return options;
}

TEST(Server, SlowHeadersAreCutOff) {
  TestServer server(echo_routes(), impatient());
  TestSocket socket(server.port());
  const auto start = std::chrono::steady_clock::now();
  std::string answer;
  for (size_t i = 0; answer.empty() && i < kGet.size() - 1; ++i) {
    socket.send(kGet.substr(i, 1));
    answer = socket.receive(50);
  }
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 408 "));
  EXPECT_LT(elapsed_ms(start), 4000);
}

TEST(Server, SlowBodiesAreCutOff) {
  TestServer server(echo_routes(), impatient());
  for (const char* framing : {"Content-Length: 100000", "Transfer-Encoding: chunked"}) {
    TestSocket socket(server.port());
    socket.send("POST /echo HTTP/1.1\r\nHost: a\r\n" + std::string(framing) + "\r\n\r\n");
    std::string answer;
    for (int i = 0; answer.empty() && i < 100; ++i) {
      socket.send("1\r\nx\r\n");
      answer = socket.receive(20);
    }
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 408 ")) << framing;
  }
}

// Much at once buys no silence: the average would let it last for minutes.
TEST(Server, SilenceInABodyIsCutOff) {
  Options options;
  options.silence_timeout = Duration::millis(200);
  TestServer server(echo_routes(8 << 20), options);
  const std::string some(1 << 20, 'x');
  for (const std::string framing :
       {"Content-Length: 8000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n600000\r\n"}) {
    TestSocket socket(server.port());
    socket.send("POST /echo HTTP/1.1\r\nHost: a\r\n" + framing + some);
    const auto start = std::chrono::steady_clock::now();
    EXPECT_THAT(socket.receive(), StartsWith("HTTP/1.1 408 ")) << framing;
    EXPECT_LT(elapsed_ms(start), 2000);
  }
}

// The client may take its time to read the answer; what it sent is given back at once.
TEST(Server, AnAnswerGivesTheMemoryOfItsBodyBack) {
  Options options;
  options.silence_timeout = Duration::millis(200);
  for (const std::string framing :
       {"Content-Length: 8000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n600000\r\n"}) {
    TestServer server(echo_routes(8 << 20), options);
    TestSocket socket(server.port());
    socket.send("POST /echo HTTP/1.1\r\nHost: a\r\n" + framing + std::string(1 << 20, 'x'));
    EXPECT_TRUE(eventually([&] { return server->stats().body_bytes >= 1 << 20; })) << framing;
    EXPECT_THAT(socket.receive(), StartsWith("HTTP/1.1 408 ")) << framing;
    EXPECT_EQ(server->stats().body_bytes, 0u) << framing;
    EXPECT_EQ(server->stats().connections, 1u) << framing;
  }
}

TEST(Server, ABodyThatTricklesIsNotSilent) {
  Options options;
  options.silence_timeout = Duration::millis(400);
  TestServer server(echo_routes(), options);
  TestSocket socket(server.port());
  socket.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n");
  for (int i = 0; i < 10; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    socket.send("x");
  }
  EXPECT_THAT(socket.receive(), StartsWith("HTTP/1.1 200 "));
}

std::string begun(size_t bytes) {
  return "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n" + std::string(bytes, 'x');
}

TEST(Server, BodiesShareOneMemory) {
  Options options;
  options.body_memory_bytes = 6 << 20;
  TestServer server(echo_routes(8 << 20), options);
  std::vector<TestSocket> sockets;
  for (int i = 0; i < 8; ++i) {
    sockets.emplace_back(server.port());
    sockets.back().send(begun(2'000'000));
  }
  EXPECT_TRUE(eventually([&] { return server->stats().bodies_refused >= 4; }));
  EXPECT_LE(server->stats().body_bytes, options.body_memory_bytes);
  EXPECT_GT(server->stats().body_bytes, 0u);
  std::string refused;
  for (TestSocket& socket : sockets) refused = refused.empty() ? socket.receive(100) : refused;
  EXPECT_THAT(refused, AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("Retry-After: 2\r\n")));
  // A request that comes at once needs none of it, and what the others held is given back when they go.
  TestSocket small(server.port());
  small.send(post("/echo", "hello"));
  EXPECT_THAT(small.receive(), StartsWith("HTTP/1.1 200 "));
  sockets.clear();
  EXPECT_TRUE(eventually([&] { return server->stats().body_bytes == 0; }));
}

TEST(Server, StrangersHaveASmallerShareOfIt) {
  Options options;
  options.keyless_body_memory_bytes = 1 << 20;
  const http::Gate gate = [](const http::Route&, const http::Request& request) -> http::Admission {
    return {.keyless = !request.header("Authorization")};
  };
  TestServer server(echo_routes(8 << 20), options, gate);
  TestSocket stranger(server.port());
  stranger.send(begun(3'000'000));
  EXPECT_THAT(stranger.receive(), StartsWith("HTTP/1.1 503 "));
  TestSocket known(server.port());
  known.send("POST /echo HTTP/1.1\r\nHost: a\r\nAuthorization: x\r\nContent-Length: 4000000\r\n\r\n" +
             std::string(4'000'000, 'x'));
  EXPECT_THAT(known.receive(), StartsWith("HTTP/1.1 200 "));
}

TEST(Server, ABodyThatComesFastEnoughMayTakeLong) {
  TestServer server(echo_routes(), impatient());
  TestSocket socket(server.port());
  const std::string piece(20'000, 'x');
  socket.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n");
  for (int i = 0; i < 10; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(40));
    socket.send(piece);
  }
  EXPECT_THAT(socket.receive(), StartsWith("HTTP/1.1 200 "));
}

TEST(Server, IdleConnectionsAndStuckReadersAreClosed) {
  std::vector<http::Route> routes = echo_routes();
  const std::string content(30'000'000, 'z');
  routes.push_back({.method = http::Method::kGet,
                    .pattern = "/large",
                    .action = http::NoBody{[&](const http::Request&, http::Responder responder) {
                      responder.send(http::Response::fixed("text/plain", content));
                    }}});
  TestServer server(std::move(routes), impatient());
  TestSocket silent(server.port());
  TestSocket idle(server.port());
  idle.send(kGet);
  EXPECT_THAT(idle.receive(), StartsWith("HTTP/1.1 200 "));
  EXPECT_TRUE(idle.closed_within(2000));
  EXPECT_TRUE(silent.closed_within(2000));
  TestSocket stuck(server.port());
  stuck.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return server->stats().accepted == 3 && server->stats().connections == 0; }));
}

TEST(Server, AThousandIdleConnectionsDoNotHurt) {
  Options options;
  options.max_connections = 1002;
  TestServer server(echo_routes(), options);
  std::vector<TestSocket> idle;
  for (int i = 0; i < 1000; ++i) {
    idle.emplace_back(server.port());
    if (i % 2 == 0) idle.back().send("GET /echo HTT");
  }
  ASSERT_TRUE(eventually([&] { return server->stats().accepted == 1000; }));
  TestSocket socket(server.port());
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) {
    socket.send(kGet);
    ASSERT_THAT(socket.receive(), StartsWith("HTTP/1.1 200 "));
  }
  EXPECT_LT(elapsed_ms(start), 4000);

  TestSocket last(server.port());
  last.send(kGet);
  EXPECT_THAT(last.receive(), StartsWith("HTTP/1.1 200 "));
  TestSocket refused(server.port());
  const std::string answer = refused.receive_to_end();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(answer, HasSubstr("Retry-After: 1\r\n"));
  EXPECT_EQ(server->stats().refused, 1u);
  idle.clear();
  EXPECT_TRUE(eventually([&] { return server->stats().connections == 2; }));
  TestSocket again(server.port());
  again.send(kGet);
  EXPECT_THAT(again.receive(), StartsWith("HTTP/1.1 200 "));
}

size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  size_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * 4096;
}

// Takes each chunk on another thread, after a little work, before it asks for the next.
class SlowSink final : public http::BodySink {
 public:
  SlowSink(http::Responder responder, std::atomic<size_t>& peak)
      : responder_(std::move(responder)), peak_(peak) {}
  ~SlowSink() override { join(); }

  void on_chunk(std::string_view chunk, http::ReadMore more) override {
    join();
    bytes_ += chunk.size();
    if (++chunks_ % 50 == 0) peak_ = std::max(peak_.load(), resident_bytes());
    if (chunks_ % 2 == 0) return more.go();
    worker_ = std::thread([more = std::move(more)]() mutable { more.go(); });
  }
  void on_end() override { responder_.send(http::Response::text("took " + std::to_string(bytes_) + ".")); }

 private:
  void join() {
    if (worker_.joinable()) worker_.join();
  }

  http::Responder responder_;
  std::atomic<size_t>& peak_;
  size_t bytes_ = 0;
  size_t chunks_ = 0;
  std::thread worker_;
};

// AddressSanitizer keeps freed memory for a while.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr size_t kMemorySlack = 80'000'000;
#else
constexpr size_t kMemorySlack = 16'000'000;
#endif

TEST(Server, StreamsAHundredMegabytesWithoutHoldingThem) {
  std::atomic<size_t> peak{0};
  TestServer server(
      {{.method = http::Method::kPost,
        .pattern = "/stream",
        .action = http::StreamedBody{200'000'000, [&](const http::Request&, http::Responder responder) {
                                       return std::make_unique<SlowSink>(std::move(responder), peak);
                                     }}}});
  const size_t before = resident_bytes();
  const std::string piece(1'000'000, 's');
  for (const bool chunked : {false, true}) {
    SCOPED_TRACE(chunked);
    TestSocket socket(server.port());
    socket.send(std::string("POST /stream HTTP/1.1\r\nHost: a\r\n") +
                (chunked ? "Transfer-Encoding: chunked\r\n\r\n" : "Content-Length: 100000000\r\n\r\n"));
    for (int i = 0; i < 100; ++i) {
      if (chunked) socket.send("f4240\r\n");
      socket.send(piece);
      if (chunked) socket.send("\r\n");
    }
    if (chunked) socket.send("0\r\n\r\n");
    EXPECT_THAT(socket.receive(), EndsWith("took 100000000."));
    // The connection goes on.
    socket.send(post("/stream", "abc"));
    EXPECT_THAT(socket.receive(), EndsWith("took 3."));
    socket.send(post("/stream", ""));
    EXPECT_THAT(socket.receive(), EndsWith("took 0."));
  }
  EXPECT_GT(peak, 0u);
  EXPECT_LT(peak, before + kMemorySlack);
}

// Answers at the second chunk.
class RefusingSink final : public http::BodySink {
 public:
  RefusingSink(http::Responder responder, std::atomic<int>& alive)
      : responder_(std::move(responder)), alive_(alive) {
    ++alive_;
  }
  ~RefusingSink() override { --alive_; }
  void on_chunk(std::string_view, http::ReadMore) override {
    if (++chunks_ == 2)
      responder_.send(to_response(http::Problem::bad_request("bad", "Bad", "line 7 is broken")));
  }
  void on_end() override { responder_.send(http::Response::text("end")); }

 private:
  http::Responder responder_;
  std::atomic<int>& alive_;
  int chunks_ = 0;
};

TEST(Server, AStreamMayBeAnsweredEarlyCutOffOrTooLong) {
  std::atomic<int> alive{0};
  TestServer server(
      {{.method = http::Method::kPost,
        .pattern = "/stream",
        .action = http::StreamedBody{50'000'000, [&](const http::Request&, http::Responder responder) {
                                       return std::make_unique<RefusingSink>(std::move(responder), alive);
                                     }}}});
  for (const char* framing :
       {"Content-Length: 40000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n9896800\r\n"}) {
    TestSocket socket(server.port());
    socket.send(std::string("POST /stream HTTP/1.1\r\nHost: a\r\n") + framing);
    const std::string piece(1'000'000, 's');
    for (int i = 0; i < 40 && socket.send(piece); ++i) {
    }
    EXPECT_THAT(socket.receive(), HasSubstr("line 7 is broken"));
  }
  {
    TestSocket socket(server.port());
    socket.send("POST /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 40000000\r\n\r\nsome");
    EXPECT_TRUE(eventually([&] { return alive == 1; }));
  }
  EXPECT_TRUE(eventually([&] { return alive == 0; }));
  TestSocket socket(server.port());
  socket.send("POST /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 50000001\r\n\r\n");
  EXPECT_THAT(socket.receive(), StartsWith("HTTP/1.1 413 "));
}

TEST(Server, StopFinishesWhatRuns) {
  std::mutex mutex;
  std::vector<http::Responder> waiting;
  std::vector<http::Route> routes = echo_routes();
  routes.push_back({.method = http::Method::kGet,
                    .pattern = "/wait",
                    .action = http::NoBody{[&](const http::Request&, http::Responder responder) {
                      const std::lock_guard lock(mutex);
                      waiting.push_back(std::move(responder));
                    }}});
  TestServer server(std::move(routes));
  TestSocket idle(server.port());
  TestSocket running(server.port());
  running.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(eventually([&] {
    const std::lock_guard lock(mutex);
    return waiting.size() == 1;
  }));
  const auto start = std::chrono::steady_clock::now();
  std::thread stopper([&] { server->stop(); });
  EXPECT_TRUE(idle.closed_within(2000));
  EXPECT_FALSE(TestSocket(server.port()).connected());
  // Each thread hears of the stop by itself; until then an answer does not say that it is the last one.
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  {
    const std::lock_guard lock(mutex);
    waiting[0].send(http::Response::text("finished"));
  }
  const std::string answer = running.receive_to_end();
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(answer, EndsWith("finished"));
  stopper.join();
  EXPECT_LT(elapsed_ms(start), 4000);
}

TEST(Server, StopCutsWhatTakesTooLong) {
  std::mutex mutex;
  std::vector<http::Responder> waiting;
  Options options;
  options.stop_grace = Duration::millis(200);
  TestServer server({{.method = http::Method::kGet,
                      .pattern = "/wait",
                      .action = http::NoBody{[&](const http::Request&, http::Responder responder) {
                        const std::lock_guard lock(mutex);
                        waiting.push_back(std::move(responder));
                      }}}},
                    options);
  TestSocket running(server.port());
  running.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(eventually([&] {
    const std::lock_guard lock(mutex);
    return waiting.size() == 1;
  }));
  const auto start = std::chrono::steady_clock::now();
  server->stop();
  EXPECT_GE(elapsed_ms(start), 200);
  EXPECT_LT(elapsed_ms(start), 4000);
  EXPECT_EQ(running.receive_to_end(), "");
  waiting[0].send(http::Response::text("too late"));  // goes nowhere
}

TEST(Server, TheSocketFileIsTheOwnersAlone) {
  const std::string path = "/tmp/kehu-server-test-" + std::to_string(::getpid()) + ".sock";
  Options options;
  options.unix_socket = path;
  const std::vector<http::Route> routes = {
      {.method = http::Method::kGet,
       .pattern = "/who",
       .action = http::NoBody{[](const http::Request& request, http::Responder responder) {
         responder.send(
             http::Response::text(std::string(request.remote) + (request.local ? " local" : " remote")));
       }}}};
  {
    TestServer server(routes, options);
    struct stat info {};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777u, 0600u);
    TestSocket socket(path);
    socket.send("GET /who HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_THAT(socket.receive(), EndsWith("unix local"));
    EXPECT_EQ(server.port(), 0);

    const http::Router router(routes);
    const auto second = Server::start(options, router);
    EXPECT_THAT(std::string(second.status().message()), HasSubstr("another server is running"));
  }
  EXPECT_FALSE(TestSocket(path).connected());
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
  // A dead server's file is no obstacle.
  std::ofstream(path) << "";
  TestServer server(routes, options);
  EXPECT_TRUE(TestSocket(path).connected());
}

TEST(Server, SaysWhyItCannotListen) {
  TestServer first(echo_routes());
  const http::Router router({});
  Options options;
  options.listen = "127.0.0.1:" + std::to_string(first.port());
  const auto taken = Server::start(options, router);
  EXPECT_EQ(taken.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(taken.status().message()), HasSubstr("another server is running there"));
  for (const char* bad : {"7000", "localhost:", "localhost:x", "localhost:123456"}) {
    options.listen = bad;
    EXPECT_EQ(Server::start(options, router).status().code(), absl::StatusCode::kInvalidArgument) << bad;
  }
}

TEST(Server, LogsEachRequestOnDemand) {
  std::mutex mutex;
  std::vector<std::string> lines;
  Options options;
  options.access_log = [&](const AccessEntry& entry) {
    const std::lock_guard lock(mutex);
    lines.push_back(std::string(entry.remote) + " " + std::string(to_string(entry.method)) + " " +
                    std::string(entry.route) + " " + std::to_string(entry.status) + " " +
                    std::to_string(entry.body_bytes));
  };
  TestServer server(echo_routes(), options);
  TestSocket socket(server.port());
  socket.send(post("/echo", "hello"));
  socket.receive();
  socket.send("GET /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  socket.receive_to_end();
  const std::lock_guard lock(mutex);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0], "127.0.0.1 POST /echo 200 16");
  EXPECT_THAT(lines[1], StartsWith("127.0.0.1 GET  404 "));
}

}  // namespace
}  // namespace kehu::server
