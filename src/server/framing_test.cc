#include "server/framing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "server/chunked_body.h"
#include "server/test_server.h"
#include "server/test_socket.h"

namespace kehu::server {
namespace {

constexpr size_t kLimit = 16 * 1024;

struct HeadCase {
  const char* name;
  std::string given;
  int want;  // 0: complete, -1: partial, else the status of the refusal
};

std::vector<HeadCase> head_cases() {
  const std::string host = "Host: a\r\n";
  const std::string post = "POST /echo HTTP/1.1\r\n" + host;
  const std::string get = "GET /echo HTTP/1.1\r\n" + host;
  return {
      {"plain", get + "\r\n", 0},
      {"empty lines first", "\r\n\r\n" + get + "\r\n", 0},
      {"absolute form", "GET http://a/echo?x=1 HTTP/1.1\r\n" + host + "\r\n", 0},
      {"asterisk", "OPTIONS * HTTP/1.1\r\n" + host + "\r\n", 0},
      {"http 1.0 without host", "GET / HTTP/1.0\r\n\r\n", 0},
      {"nothing", "", -1},
      {"half", get, -1},
      {"half end", get + "\r", -1},
      {"both lengths", post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"both lengths, other order", post + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 400},
      {"two lengths", post + "Content-Length: 3\r\nContent-Length: 4\r\n\r\n", 400},
      {"two equal lengths", post + "Content-Length: 3\r\nContent-Length: 3\r\n\r\n", 400},
      {"list of lengths", post + "Content-Length: 3, 3\r\n\r\n", 400},
      {"signed length", post + "Content-Length: +3\r\n\r\n", 400},
      {"negative length", post + "Content-Length: -3\r\n\r\n", 400},
      {"hexadecimal length", post + "Content-Length: 0x3\r\n\r\n", 400},
      {"fractional length", post + "Content-Length: 3.0\r\n\r\n", 400},
      {"empty length", post + "Content-Length:\r\n\r\n", 400},
      {"length with space inside", post + "Content-Length: 3 4\r\n\r\n", 400},
      {"huge length", post + "Content-Length: 99999999999999999999\r\n\r\n", 400},
      {"length with spaces around", post + "Content-Length:   3  \r\n\r\n", 0},
      {"two codings", post + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
      {"unknown coding", post + "Transfer-Encoding: xchunked\r\n\r\n", 501},
      {"identity", post + "Transfer-Encoding: identity\r\n\r\n", 501},
      {"chunked not last", post + "Transfer-Encoding: chunked, gzip\r\n\r\n", 501},
      {"chunked twice", post + "Transfer-Encoding: chunked, chunked\r\n\r\n", 501},
      {"chunked in two fields", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
       400},
      {"chunked with vertical tab", post + "Transfer-Encoding: \vchunked\r\n\r\n", 400},
      {"chunked in capitals", post + "Transfer-Encoding: CHUNKED\r\n\r\n", 0},
      {"chunked in 1.0", "POST /echo HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n", 400},
      {"bare line feed", "GET /echo HTTP/1.1\nHost: a\n\n", 400},
      {"one bare line feed", "GET /echo HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400},
      {"bare carriage return", get + "X: a\rb\r\n\r\n", 400},
      {"folded line", get + "X: a\r\n b\r\n\r\n", 400},
      {"folded by tab", get + "X: a\r\n\tb\r\n\r\n", 400},
      {"space before the first field", "GET /echo HTTP/1.1\r\n X: b\r\nHost: a\r\n\r\n", 400},
      {"space before the colon", get + "X : b\r\n\r\n", 400},
      {"no colon", get + "X\r\n\r\n", 400},
      {"empty name", get + ": b\r\n\r\n", 400},
      {"NUL in a value", get + std::string("X: a\0b\r\n\r\n", 10), 400},
      {"NUL in a name", get + std::string("X\0: b\r\n\r\n", 9), 400},
      {"NUL in the target", std::string("GET /a\0b HTTP/1.1\r\n", 19) + host + "\r\n", 400},
      {"no host", "GET /echo HTTP/1.1\r\n\r\n", 400},
      {"two hosts", get + "Host: b\r\n\r\n", 400},
      {"no version", "GET /echo\r\n" + host + "\r\n", 400},
      {"version 2.0", "GET /echo HTTP/2.0\r\n" + host + "\r\n", 505},
      {"version 1.2", "GET /echo HTTP/1.2\r\n" + host + "\r\n", 505},
      {"version 0.9", "GET /echo HTTP/0.9\r\n" + host + "\r\n", 505},
      {"no slash", "GET echo HTTP/1.1\r\n" + host + "\r\n", 400},
      {"fragment", "GET /echo#x HTTP/1.1\r\n" + host + "\r\n", 400},
      {"bad escape", "GET /echo%zz HTTP/1.1\r\n" + host + "\r\n", 400},
      {"escaped NUL", "GET /echo%00 HTTP/1.1\r\n" + host + "\r\n", 400},
      {"two spaces", "GET  /echo HTTP/1.1\r\n" + host + "\r\n", 400},
      {"expectation", get + "Expect: miracles\r\n\r\n", 417},
      {"TLS hello", "\x16\x03\x01\x02\x01\x01\xfc\x03\x03\r\n\r\n", 400},
      {"header of 16 KiB and more", get + "X: " + std::string(kLimit, 'x') + "\r\n\r\n", 431},
      {"endless header", get + "X: " + std::string(kLimit, 'x'), 431},
      {"101 fields",
       get +
           [] {
             std::string fields;
             for (int i = 0; i < 100; ++i) fields += "X: y\r\n";
             return fields;
           }() +
           "\r\n",
       431},
  };
}

TEST(ParseHead, Table) {
  for (const HeadCase& c : head_cases()) {
    SCOPED_TRACE(c.name);
    Head head;
    const HeadResult got = parse_head(c.given, 0, kLimit, head);
    const int status = got.verdict == Verdict::kComplete  ? 0
                       : got.verdict == Verdict::kPartial ? -1
                                                          : got.problem.status;
    EXPECT_EQ(status, c.want) << got.problem.detail;
    if (got.verdict == Verdict::kComplete) {
      EXPECT_EQ(head.size, c.given.size());
    }
  }
}

TEST(ParseHead, ByteByByteGivesTheSameVerdict) {
  for (const HeadCase& c : head_cases()) {
    if (c.given.size() > 1000) continue;
    SCOPED_TRACE(c.name);
    Head whole;
    const Verdict want = parse_head(c.given, 0, kLimit, whole).verdict;
    Head head;
    Verdict got = Verdict::kPartial;
    for (size_t size = 1, scanned = 0; size <= c.given.size() && got == Verdict::kPartial; scanned = size++) {
      got = parse_head(std::string_view(c.given).substr(0, size), scanned, kLimit, head).verdict;
    }
    EXPECT_EQ(got, want);
  }
}

TEST(ParseHead, ReadsWhatMatters) {
  const std::string text =
      "POST /a?b=c HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\nConnection: x, Close\r\nExpect: "
      "100-Continue\r\n"
      "X-Name:  spaced value \r\n\r\nrest";
  Head head;
  ASSERT_EQ(parse_head(text, 0, kLimit, head).verdict, Verdict::kComplete);
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/a?b=c");
  EXPECT_EQ(head.content_length, 12u);
  EXPECT_FALSE(head.keep_alive);
  EXPECT_TRUE(head.expects_continue);
  EXPECT_FALSE(head.websocket);
  EXPECT_EQ(head.size, text.size() - 4);
  ASSERT_EQ(head.headers.size(), 5u);
  EXPECT_EQ(head.headers[4].value, "spaced value");
  const std::string upgrade =
      "GET /live HTTP/1.1\r\nHost: h\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n\r\n";
  ASSERT_EQ(parse_head(upgrade, 0, kLimit, head).verdict, Verdict::kComplete);
  EXPECT_TRUE(head.websocket);
  EXPECT_EQ(head.content_length, 0u);
}

struct ChunkCase {
  const char* name;
  std::string given;
  ChunkedBody::Verdict want;
  const char* content;
};

std::vector<ChunkCase> chunk_cases() {
  return {
      {"two chunks", "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", ChunkedBody::Verdict::kComplete, "hello!"},
      {"hexadecimal", "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", ChunkedBody::Verdict::kComplete,
       "01234567890123456789"},
      {"leading zeros", "0005\r\nhello\r\n0000\r\n\r\n", ChunkedBody::Verdict::kComplete, "hello"},
      {"extension", "5;a=b;c=\"d\"\r\nhello\r\n0;e\r\n\r\n", ChunkedBody::Verdict::kComplete, "hello"},
      {"trailer", "5\r\nhello\r\n0\r\nX: y\r\n\r\n", ChunkedBody::Verdict::kComplete, "hello"},
      {"not at the end", "5\r\nhello\r\n", ChunkedBody::Verdict::kPartial, "hello"},
      {"no size", "\r\nhello\r\n0\r\n\r\n", ChunkedBody::Verdict::kRefused, ""},
      {"no number", "x\r\nhello\r\n0\r\n\r\n", ChunkedBody::Verdict::kRefused, ""},
      {"negative", "-5\r\nhello\r\n0\r\n\r\n", ChunkedBody::Verdict::kRefused, ""},
      {"signed", "+5\r\nhello\r\n0\r\n\r\n", ChunkedBody::Verdict::kRefused, ""},
      {"prefixed", "0x5\r\nhello\r\n0\r\n\r\n", ChunkedBody::Verdict::kRefused, ""},
      {"space first", " 5\r\nhello\r\n0\r\n\r\n", ChunkedBody::Verdict::kRefused, ""},
      {"bare line feed", "5\nhello\n0\n\n\r\n\r\n", ChunkedBody::Verdict::kRefused, ""},
      {"bare line feed in an extension", "5;a\nb\r\nhello\r\n0\r\n\r\n", ChunkedBody::Verdict::kRefused, ""},
      {"longer than it says", "4\r\nhello\r\n0\r\n\r\n", ChunkedBody::Verdict::kRefused, "hell"},
      {"shorter than it says", "6\r\nhello\r\n0\r\n\r\n", ChunkedBody::Verdict::kRefused, "hello\r"},
      {"2^41", "20000000000\r\nhello", ChunkedBody::Verdict::kRefused, ""},
      {"2^64", "10000000000000000\r\nhello", ChunkedBody::Verdict::kRefused, ""},
      {"2^64 + 5", "10000000000000005\r\nhello\r\n0\r\n\r\n", ChunkedBody::Verdict::kRefused, ""},
      {"100 digits", std::string(100, 'f') + "\r\nhello", ChunkedBody::Verdict::kRefused, ""},
      {"bad extension", "5,a\r\nhello\r\n0\r\n\r\n", ChunkedBody::Verdict::kRefused, ""},
      {"bad trailer", "0\r\nX y\r\n\r\n", ChunkedBody::Verdict::kRefused, ""},
      {"endless chunk header", "5;" + std::string(20'000, 'a'), ChunkedBody::Verdict::kRefused, ""},
      {"endless trailer", "0\r\nX: " + std::string(20'000, 'a'), ChunkedBody::Verdict::kRefused, ""},
  };
}

TEST(ChunkedBody, Table) {
  for (const ChunkCase& c : chunk_cases()) {
    SCOPED_TRACE(c.name);
    std::string content;
    const auto result = ChunkedBody().decode(c.given, [&](std::string_view piece) {
      content += piece;
      return true;
    });
    EXPECT_EQ(result.verdict, c.want);
    EXPECT_EQ(content, c.content);
    if (c.want == ChunkedBody::Verdict::kComplete) {
      EXPECT_EQ(result.used, c.given.size());
    }
  }
}

TEST(ChunkedBody, AnySplitAndAnyPauseGiveTheSame) {
  const auto seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 300; ++round) {
    for (const ChunkCase& c : chunk_cases()) {
      SCOPED_TRACE(c.name);
      ChunkedBody body;
      std::string content, held;
      ChunkedBody::Verdict verdict = ChunkedBody::Verdict::kPartial;
      std::string_view rest = c.given;
      // A paused decoder is called again without new bytes.
      for (bool paused = false; verdict == ChunkedBody::Verdict::kPartial && (!rest.empty() || paused);) {
        if (!std::exchange(paused, false)) {
          const size_t size =
              std::min(rest.size(), size_t{1} + random() % (c.given.size() > 1000 ? 5000 : 9));
          held += rest.substr(0, size);
          rest.remove_prefix(size);
        }
        const auto result = body.decode(held, [&](std::string_view piece) {
          content += piece;
          paused = random() % 2 == 0;
          return !paused;
        });
        held.erase(0, result.used);
        verdict = result.verdict;
      }
      EXPECT_EQ(verdict, c.want);
      EXPECT_EQ(content, c.content);
    }
  }
}

// The same table over sockets: each malformed head gets its status and a closed connection.
TEST(Framing, MalformedHeadsOverASocket) {
  TestServer server(echo_routes());
  for (const HeadCase& c : head_cases()) {
    if (c.want <= 0) continue;
    SCOPED_TRACE(c.name);
    TestSocket socket(server.port());
    socket.send(c.given);
    const std::string answer = socket.receive_to_end();
    EXPECT_THAT(answer, testing::StartsWith("HTTP/1.1 " + std::to_string(c.want) + " "));
    EXPECT_THAT(answer, testing::HasSubstr("Connection: close\r\n"));
  }
  EXPECT_GT(server->stats().malformed, 40u);
}

TEST(Framing, ChunkedBodiesOverASocket) {
  TestServer server(echo_routes());
  for (const ChunkCase& c : chunk_cases()) {
    if (c.want == ChunkedBody::Verdict::kPartial) continue;
    SCOPED_TRACE(c.name);
    TestSocket socket(server.port());
    socket.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    socket.send(c.given);
    const std::string answer = socket.receive();
    if (c.want == ChunkedBody::Verdict::kComplete) {
      EXPECT_THAT(answer, testing::StartsWith("HTTP/1.1 200 OK\r\n"));
      EXPECT_THAT(answer, testing::EndsWith(std::string("POST /echo ") + c.content));
    } else {
      EXPECT_THAT(answer, testing::StartsWith("HTTP/1.1 400 Bad Request\r\n"));
      EXPECT_THAT(answer, testing::HasSubstr("malformed_request"));
    }
  }
}

}  // namespace
}  // namespace kehu::server
