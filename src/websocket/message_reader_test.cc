#include "websocket/message_reader.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "websocket/handshake.h"

namespace kehu::websocket {
namespace {

using Kind = MessageReader::Kind;

std::string frame(int first, std::string_view payload) {
  const uint8_t mask[4] = {0x12, 0x34, 0x56, 0x78};
  std::string out{static_cast<char>(first)};
  if (payload.size() < 126) {
    out.push_back(static_cast<char>(0x80 | payload.size()));
  } else {
    out.push_back(static_cast<char>(0x80 | 126));
    out.push_back(static_cast<char>(payload.size() >> 8));
    out.push_back(static_cast<char>(payload.size() & 255));
  }
  out.append(reinterpret_cast<const char*>(mask), 4);
  std::string masked(payload);
  unmask(masked, mask, 0);
  return out + masked;
}

// "kind code content" of every item, whatever the pieces are.
std::vector<std::string> read(std::string bytes, std::vector<size_t> cuts, bool deflate = false) {
  MessageReader reader({.message_bytes = 1000, .deflate = deflate});
  std::vector<std::string> items;
  cuts.push_back(bytes.size());
  size_t begin = 0;
  for (const size_t end : cuts) {
    std::span<char> piece(bytes.data() + begin, end - begin);
    begin = end;
    for (;;) {
      size_t used = 0;
      const MessageReader::Item item = reader.next(piece, used);
      piece = piece.subspan(used);
      if (item.kind == Kind::kNothing) break;
      items.push_back(std::to_string(static_cast<int>(item.kind)) + " " +
                      std::to_string(static_cast<int>(item.code)) + " " + std::string(item.content));
    }
    EXPECT_TRUE(piece.empty());
  }
  return items;
}

TEST(MessageReader, DoesNotDependOnHowItsBytesAreCut) {
  const std::string given = frame(0x81, "hello") + frame(0x01, "fr\xe5\xae") + frame(0x89, "ping") +
                            frame(0x00, "\xa2") + frame(0x80, "end") + frame(0x82, std::string(300, '\xff')) +
                            frame(0x81, "") + frame(0x8a, "") + frame(0x88, "\x03\xe8 bye");
  const std::vector<std::string> want = read(given, {});
  ASSERT_EQ(want.size(), 7u);
  EXPECT_EQ(want[0], "1 1005 hello");
  EXPECT_EQ(want[1], "3 1005 ping");
  EXPECT_EQ(want[2],
            "1 1005 fr\xe5\xae\xa2"
            "end");
  EXPECT_EQ(want[6], "5 1000  bye");
  for (size_t cut = 0; cut <= given.size(); ++cut) EXPECT_EQ(read(given, {cut}), want) << cut;
  std::vector<size_t> each;
  for (size_t i = 1; i < given.size(); ++i) each.push_back(i);
  EXPECT_EQ(read(given, each), want);
}

TEST(MessageReader, Inflates) {
  const std::string_view hello("\xf2\x48\xcd\xc9\xc9\x07\x00", 7);  // RFC 7692, 7.2.3.1
  const std::string_view again("\xf2\x00\x11\x00\x00", 5);          // 7.2.3.2: refers to the one before
  const std::string given = frame(0xc1, hello) + frame(0xc1, again) + frame(0x81, "plain") +
                            frame(0x41, hello.substr(0, 3)) + frame(0x80, hello.substr(3));
  const std::vector<std::string> want = {"1 1005 Hello", "1 1005 Hello", "1 1005 plain", "1 1005 Hello"};
  for (size_t cut = 0; cut <= given.size(); ++cut) EXPECT_EQ(read(given, {cut}, true), want) << cut;
  EXPECT_EQ(read(frame(0xc1, hello), {}).at(0).substr(0, 6), "6 1002");
}

// A sequence is refused exactly when the whole text is no UTF-8, wherever it is cut.
TEST(MessageReader, Utf8InPiecesIsJudgedAsAWhole) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const std::string_view atoms[] = {"a",    "\xc2\x80", "\xe5\xae\xa2", "\xf0\x9f\x98\x80",
                                    "\x80", "\xed\xa0", "\xf4\x90",     "\xe0\x9f",
                                    "\xc1", "\xf0\x9f", "abcdefgh",     "\xef\xbf\xbf"};
  int refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (size_t n = random() % 5; n > 0; --n) {
      // Mostly good ones, or nothing would ever be accepted.
      text += atoms[random() % (random() % 4 == 0 ? std::size(atoms) : 4)];
    }
    const bool want = !read(frame(0x81, text), {}).at(0).starts_with("6");
    const size_t cut = random() % (text.size() + 1);
    Utf8Check check;
    const bool got = check.feed(text.substr(0, cut)) && check.feed(text.substr(cut)) && check.complete();
    ASSERT_EQ(got, want) << round;
    refused += want ? 0 : 1;
  }
  EXPECT_GT(refused, 1000);
  EXPECT_LT(refused, 19'000);
}

struct OfferCase {
  const char* given;
  const char* want;  // nullptr: declined
};

TEST(Handshake, OffersOfCompression) {
  const OfferCase cases[] = {
      {"permessage-deflate", "permessage-deflate; server_no_context_takeover"},
      {"permessage-deflate; client_max_window_bits", "permessage-deflate; server_no_context_takeover"},
      {"permessage-deflate; client_max_window_bits=\"10\"", "permessage-deflate; server_no_context_takeover"},
      {"permessage-deflate ;server_max_window_bits=9",
       "permessage-deflate; server_no_context_takeover; server_max_window_bits=9"},
      {"foo, permessage-deflate; x=1, permessage-deflate", "permessage-deflate; server_no_context_takeover"},
      {"", nullptr},
      {"permessage-deflate; server_max_window_bits", nullptr},
      {"permessage-deflate; server_max_window_bits=08", nullptr},
      {"permessage-deflate; client_max_window_bits=16", nullptr},
      {"permessage-deflate; server_no_context_takeover=1", nullptr},
      {"permessage-deflate; server_no_context_takeover; server_no_context_takeover", nullptr},
  };
  for (const OfferCase& c : cases) {
    const auto got = accept_deflate(c.given);
    EXPECT_EQ(got.value_or("declined"), c.want == nullptr ? "declined" : c.want) << c.given;
  }
}

}  // namespace
}  // namespace kehu::websocket
