#include "fetch/session.h"

#include <gmock/gmock.h>

#include <chrono>

#include "fetch/test_party.h"

namespace kehu::fetch {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string message(const absl::StatusOr<Response>& response) {
  return std::string(response.status().message());
}

TEST(Session, SendsWhatIsAskedAndKeepsTheConnection) {
  std::string seen;
  TestParty party([&](const std::string& request) {
    seen = request;
    return "HTTP/1.1 201 Created\r\nX-Kind:  a \r\nContent-Length: 2\r\n\r\nok";
  });
  Session session;
  const auto response = session.run({.method = "PUT",
                                     .url = party.url("/a/../b?c=d"),
                                     .headers = {{"X-One", "1"}, {"X-Empty", ""}},
                                     .body = "content"});
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->status, 201);
  EXPECT_TRUE(response->ok());
  EXPECT_EQ(response->header("x-kind"), "a");
  EXPECT_EQ(response->header("x-none"), std::nullopt);
  EXPECT_EQ(response->body, "ok");
  EXPECT_THAT(seen, testing::StartsWith("PUT /a/../b?c=d HTTP/1.1\r\n"));
  EXPECT_THAT(seen, HasSubstr("\r\nX-One: 1\r\n"));
  EXPECT_THAT(seen, HasSubstr("\r\nX-Empty:\r\n"));
  EXPECT_THAT(seen, testing::EndsWith("\r\n\r\ncontent"));
  EXPECT_EQ(session.run({.method = "DELETE", .url = party.url()})->status, 201);
  EXPECT_THAT(seen, Not(HasSubstr("X-One")));
  EXPECT_EQ(party.accepted(), 1);
}

TEST(Session, RedirectsAndRefusalsAreAnswers) {
  TestParty party([](const std::string& request) {
    return request.starts_with("GET /old")
               ? "HTTP/1.1 302 Found\r\nLocation: /new\r\nContent-Length: 0\r\n\r\n"
               : "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n";
  });
  Session session;
  EXPECT_EQ(session.run({.url = party.url("/old")})->status, 302);
  const auto busy = session.run({.url = party.url("/busy")});
  EXPECT_EQ(busy->status, 503);
  EXPECT_FALSE(busy->ok());
  EXPECT_EQ(busy->header("retry-after"), "7");
}

// What may be secret, in every place an address has for it.
TEST(Session, ErrorsNameTheAddressWithoutItsSecrets) {
  const TestListener deaf(false);  // nobody else can take the port
  TestParty closing([](const std::string&) { return ""; });
  TestParty slow([](const std::string&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(700));
    return TestParty::ok("late");
  });
  TestParty long_winded([](const std::string&) { return TestParty::ok(std::string(5000, 'x')); });
  TestParty half([](const std::string&) {
    return "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\nhalf";
  });
  TestParty chatty([](const std::string&) {
    std::string answer = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 70; ++i) answer += "X-" + std::to_string(i) + ": " + std::string(1000, 'h') + "\r\n";
    return answer + "Content-Length: 0\r\n\r\n";
  });
  const struct {
    const char* name;
    std::string host;
    absl::StatusCode code;
    Cause cause;
    const char* says;
  } cases[] = {
      {"refused", deaf.address(), absl::StatusCode::kUnavailable, Cause::kNoServer,
       "check that the server runs"},
      {"unknown", "nowhere.invalid:81", absl::StatusCode::kUnavailable, Cause::kNoSuchHost, "is not known"},
      {"closed", closing.address(), absl::StatusCode::kUnavailable, Cause::kClosed, "closed the connection"},
      {"slow", slow.address(), absl::StatusCode::kDeadlineExceeded, Cause::kTimeout, "in time"},
      {"long", long_winded.address(), absl::StatusCode::kResourceExhausted, Cause::kTooLong, "4096 bytes"},
      {"half", half.address(), absl::StatusCode::kUnavailable, Cause::kClosed, "closed the connection"},
      {"headers", chatty.address(), absl::StatusCode::kResourceExhausted, Cause::kTooLong, "64 KiB"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    Session session;
    const auto response =
        session.run({.url = "http://SECRETuser:SECRETword@" + c.host + "/path?key=SECRET#SECRET",
                     .timeout = Duration::millis(c.cause == Cause::kTimeout ? 300 : 20'000),
                     .response_bytes = 4096});
    EXPECT_EQ(response.status().code(), c.code);
    EXPECT_EQ(cause_of(response.status()), c.cause);
    EXPECT_THAT(message(response), HasSubstr(c.says));
    EXPECT_THAT(message(response), HasSubstr("http://" + c.host + "/path"));
    EXPECT_THAT(response.status().ToString(), Not(HasSubstr("SECRET")));
  }
}

TEST(Session, WhatCannotBeSentIsRefused) {
  const Request cases[] = {
      {.url = ""},
      {.url = "SECRET"},
      {.url = "ftp://SECRET@host/"},
      {.url = "file:///SECRET"},
      {.url = "http://"},
      {.url = "http://host:SECRET/"},
      {.url = "http://127.0.0.1:1/ SECRET"},
      {.url = "http://127.0.0.1:1/", .headers = {{"X", "a\r\nSECRET: 1"}}},
      {.url = "http://127.0.0.1:1/", .headers = {{"X\nSECRET", "a"}}},
      {.url = "http://127.0.0.1:1/", .headers = {{"X:SECRET", "a"}}},
      {.url = "http://127.0.0.1:1/", .headers = {{"", "SECRET"}}},
  };
  Session session;
  for (const Request& request : cases) {
    const auto response = session.run(request);
    EXPECT_EQ(response.status().code(), absl::StatusCode::kInvalidArgument) << request.url;
    EXPECT_EQ(cause_of(response.status()), Cause::kBadRequest);
    EXPECT_THAT(message(response), Not(HasSubstr("SECRET")));
  }
}

TEST(Session, ShownAddresses) {
  const struct {
    const char* given;
    const char* want;
  } cases[] = {
      {"http://host/v1/traces", "http://host/v1/traces"},
      {"https://a:b@host:4318/v1?x=y#z", "https://host:4318/v1"},
      {"https://a:b%40c@[::1]:4318", "https://[::1]:4318/"},
  };
  for (const auto& c : cases) EXPECT_EQ(*shown(c.given), c.want);
}

TEST(Session, AnAnswerOfTheAllowedLengthIsWhole) {
  TestParty party([](const std::string&) { return TestParty::ok(std::string(4096, 'x')); });
  EXPECT_EQ(Session().run({.url = party.url(), .response_bytes = 4096})->body.size(), 4096u);
}

TEST(Session, BodiesAndContentsGoInPieces) {
  TestParty party([](const std::string& request) {
    return request.starts_with("GET /no") ? "HTTP/1.1 404 None\r\nContent-Length: 4\r\n\r\nnone"
                                          : TestParty::ok(std::string(3'000'000, 'd'));
  });
  Session session;
  size_t left = 2'000'000, sent = 0, received = 0;
  Request request{.method = "POST", .url = party.url(), .response_bytes = 10};
  request.source = [&](char* to, size_t room) {
    const size_t size = std::min(left, room);
    std::fill(to, to + size, 'u');
    left -= size;
    sent += size;
    return absl::StatusOr<size_t>(size);
  };
  request.sink = [&](std::string_view piece) {
    received += piece.size();
    return absl::OkStatus();
  };
  const auto response = session.run(request);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(sent, 2'000'000u);
  EXPECT_EQ(received, 3'000'000u);
  EXPECT_EQ(response->body, "");

  request = {.url = party.url("/no"),
             .sink = [](std::string_view) { return absl::CancelledError("enough"); }};
  EXPECT_EQ(session.run(request)->body, "none");
  request.url = party.url();
  const auto enough = session.run(request);
  EXPECT_EQ(enough.status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(std::string(enough.status().message()), "enough");
  EXPECT_EQ(cause_of(enough.status()), Cause::kSourceOrSink);
}

}  // namespace
}  // namespace kehu::fetch
