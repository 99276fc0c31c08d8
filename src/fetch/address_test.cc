#include "fetch/address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include "fetch/fetcher.h"
#include "fetch/session.h"
#include "fetch/test_party.h"

namespace kehu::fetch {
namespace {

bool is_public(const char* text) {
  sockaddr_in6 six{};
  sockaddr_in four{};
  if (::inet_pton(AF_INET, text, &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    return fetch::is_public(reinterpret_cast<const sockaddr&>(four));
  }
  EXPECT_EQ(::inet_pton(AF_INET6, text, &six.sin6_addr), 1) << text;
  six.sin6_family = AF_INET6;
  return fetch::is_public(reinterpret_cast<const sockaddr&>(six));
}

TEST(Address, IsPublicOrNot) {
  for (const char* text : {"1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1",
                           "192.167.1.1", "198.20.0.1", "223.255.255.255", "2606:4700::1111", "2400:3200::1",
                           "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"}) {
    EXPECT_TRUE(is_public(text)) << text;
  }
  for (const char* text : {"0.0.0.0",
                           "10.1.2.3",
                           "100.64.0.1",
                           "100.127.255.255",
                           "127.0.0.1",
                           "127.9.9.9",
                           "169.254.169.254",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.0.0.8",
                           "192.168.1.1",
                           "198.18.0.1",
                           "198.19.255.255",
                           "224.0.0.1",
                           "255.255.255.255",
                           "::",
                           "::1",
                           "fe80::1",
                           "fd00::1",
                           "fc00::1",
                           "ff02::1",
                           "2001:db8::1",
                           "2001::1",
                           "::ffff:127.0.0.1",
                           "::ffff:169.254.169.254",
                           "64:ff9b::a00:1",
                           "2002:7f00:1::1",
                           "::127.0.0.1"}) {
    EXPECT_FALSE(is_public(text)) << text;
  }
}

// Whatever the URL says: a name, a number in disguise.
TEST(Address, OnlyPublicOnesAreConnectedTo) {
  TestParty party([](const std::string&) { return TestParty::ok("reached"); });
  const std::string port = party.address().substr(party.address().find(':'));
  Session session;
  ASSERT_TRUE(session.run({.url = party.url()}).ok());
  for (const char* host : {"127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"}) {
    Session other;
    const auto answer = other.run({.url = "http://" + std::string(host) + port + "/", .only_public = true});
    EXPECT_EQ(answer.status().code(), absl::StatusCode::kPermissionDenied) << host << answer.status();
    EXPECT_EQ(cause_of(answer.status()), Cause::kNotPublic);
  }
  EXPECT_EQ(party.accepted(), 1);
}

}  // namespace
}  // namespace kehu::fetch
