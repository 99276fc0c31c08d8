#include "client/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "server/server.h"

namespace kehu::client {
namespace {

// Counts what it is sent.
class CountingSink final : public http::BodySink {
 public:
  explicit CountingSink(http::Responder responder) : responder_(std::move(responder)) {}
  void on_chunk(std::string_view chunk, http::ReadMore more) override {
    bytes_ += chunk.size();
    more.go();
  }
  void on_end() override { responder_.send(http::Response::text(std::to_string(bytes_))); }

 private:
  http::Responder responder_;
  size_t bytes_ = 0;
};

http::Router routes() {
  const http::Handler echo = [](const http::Request& request, http::Responder responder) {
    http::Response response =
        http::Response::text(std::string(to_string(request.method)) + " " + std::string(request.target) +
                             " " + std::string(request.body));
    response.with("X-Kind", std::string(request.header("x-kind").value_or("none")));
    response.with("X-Local", request.local ? "yes" : "no");
    responder.send(std::move(response));
  };
  std::vector<http::Route> table;
  table.push_back({.method = http::Method::kGet, .pattern = "/echo", .action = http::NoBody{echo}});
  table.push_back({.method = http::Method::kDelete, .pattern = "/echo", .action = http::NoBody{echo}});
  table.push_back(
      {.method = http::Method::kPost, .pattern = "/echo", .action = http::BufferedBody{1 << 24, echo}});
  table.push_back(
      {.method = http::Method::kPut, .pattern = "/echo", .action = http::BufferedBody{1 << 24, echo}});
  table.push_back({.method = http::Method::kGet,
                   .pattern = "/big",
                   .action = http::NoBody{[](const http::Request&, http::Responder responder) {
                     responder.send(http::Response::text(std::string(20'000'000, 'b')));
                   }}});
  table.push_back({.method = http::Method::kPost,
                   .pattern = "/stream",
                   .action = http::StreamedBody{1 << 26, [](const http::Request&, http::Responder responder) {
                                                  return std::make_unique<CountingSink>(std::move(responder));
                                                }}});
  return http::Router(std::move(table));
}

class ClientTest : public testing::Test {
 protected:
  ClientTest() : router_(routes()), path_("/tmp/kehu-client-test-" + std::to_string(::getpid()) + ".sock") {
    server::Options options;
    options.listen = "127.0.0.1:0";
    options.unix_socket = path_;
    server_ = *server::Server::start(options, router_);
    url_ = "http://127.0.0.1:" + std::to_string(server_->port());
  }

  http::Router router_;
  std::string path_;
  std::unique_ptr<server::Server> server_;
  std::string url_;
};

TEST_F(ClientTest, RequestsOverTcpAndTheSocketFile) {
  for (const std::string& where : {url_, url_ + "/", path_}) {
    SCOPED_TRACE(where);
    auto connection = Connection::open(where);
    ASSERT_TRUE(connection.ok());
    const auto got = connection->request({.path = "/echo?a=%20", .headers = {{"X-Kind", "plain"}}});
    ASSERT_TRUE(got.ok()) << got.status();
    EXPECT_EQ(got->status, 200);
    EXPECT_EQ(got->body, "GET /echo?a=%20 ");
    EXPECT_EQ(got->header("x-kind"), "plain");
    EXPECT_EQ(got->header("x-local"), where == path_ ? "yes" : "no");
    EXPECT_EQ(connection->request({.method = "POST", .path = "/echo", .body = "hello"})->body,
              "POST /echo hello");
    EXPECT_EQ(connection->request({.method = "PUT", .path = "/echo", .body = "x"})->body, "PUT /echo x");
    EXPECT_EQ(connection->request({.method = "POST", .path = "/echo"})->body, "POST /echo ");
    EXPECT_EQ(connection->request({.method = "DELETE", .path = "/echo"})->body, "DELETE /echo ");
    EXPECT_EQ(connection->request({.method = "HEAD", .path = "/echo"})->body, "");
    EXPECT_EQ(connection->request({.path = "/nowhere"})->status, 404);
    const std::string large(5'000'000, 'x');
    EXPECT_EQ(connection->request({.method = "POST", .path = "/echo", .body = large})->body,
              "POST /echo " + large);
  }
  EXPECT_EQ(server_->stats().accepted, 3u);
}

TEST_F(ClientTest, StreamsUploads) {
  auto connection = Connection::open(url_);
  size_t left = 30'000'000;
  const auto got = connection->upload({.method = "POST", .path = "/stream"}, [&](char* to, size_t room) {
    const size_t size = std::min(left, room);
    std::fill(to, to + size, 'u');
    left -= size;
    return absl::StatusOr<size_t>(size);
  });
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got->body, "30000000");

  const auto broken = connection->upload({.method = "POST", .path = "/stream"}, [](char*, size_t) {
    return absl::StatusOr<size_t>(absl::DataLossError("the file is gone"));
  });
  EXPECT_EQ(broken.status(), absl::DataLossError("the file is gone"));
}

TEST_F(ClientTest, ARefusedUploadGivesTheAnswer) {
  auto connection = Connection::open(url_);
  const auto got = connection->upload({.method = "POST", .path = "/stream"}, [](char* to, size_t room) {
    std::fill(to, to + room, 'u');
    return absl::StatusOr<size_t>(room);
  });
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got->status, 413);
  EXPECT_THAT(got->body, testing::HasSubstr("body_too_large"));
}

TEST_F(ClientTest, StreamsDownloads) {
  auto connection = Connection::open(url_);
  size_t bytes = 0;
  const auto count = [&](std::string_view piece) {
    bytes += piece.size();
    return absl::OkStatus();
  };
  const auto got = connection->download({.path = "/big"}, count);
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(bytes, 20'000'000u);
  EXPECT_EQ(got->body, "");
  const auto missing = connection->download({.path = "/nowhere"}, count);
  EXPECT_THAT(missing->body, testing::HasSubstr("no_route"));
  const auto stopped =
      connection->download({.path = "/big"}, [](std::string_view) { return absl::CancelledError("enough"); });
  EXPECT_EQ(stopped.status(), absl::CancelledError("enough"));
}

TEST_F(ClientTest, ErrorsSayWhatToDo) {
  server_->stop();
  for (const std::string& where : {url_, path_}) {
    const auto got = Connection::open(where)->request({.path = "/echo"});
    EXPECT_EQ(got.status().code(), absl::StatusCode::kUnavailable);
    EXPECT_THAT(std::string(got.status().message()),
                testing::StartsWith("no server at " + where + ": start it with `kehu serve`"));
  }
  EXPECT_EQ(Connection::open("ftp://host").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Connection::open("").status().code(), absl::StatusCode::kInvalidArgument);
  const auto unknown = Connection::open("http://nowhere.invalid:1")->request({.path = "/"});
  EXPECT_THAT(std::string(unknown.status().message()), testing::HasSubstr("check --url"));
}

}  // namespace
}  // namespace kehu::client
