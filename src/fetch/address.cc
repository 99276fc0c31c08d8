#include "fetch/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>

namespace kehu::fetch {
namespace {

using Bytes = std::array<uint8_t, 16>;

// 0.0.0.0/8 and the like, as their first bits.
struct Block {
  Bytes first;
  int bits;
};

constexpr Block kSpecial4[] = {
    {{0}, 8},             // this network
    {{10}, 8},            // private
    {{100, 64}, 10},      // between providers and their customers
    {{127}, 8},           // this machine
    {{169, 254}, 16},     // this link; clouds answer there about the machine
    {{172, 16}, 12},      // private
    {{192, 0, 0}, 24},    // protocols
    {{192, 0, 2}, 24},    // documentation
    {{192, 88, 99}, 24},  // relays
    {{192, 168}, 16},     // private
    {{198, 18}, 15},      // benchmarks
    {{198, 51, 100}, 24},
    {{203, 0, 113}, 24},
    {{224}, 4},  // multicast
    {{240}, 4},  // reserved, and broadcast
};

// What is public is in 2000::/3; of that, these are not.
constexpr Block kGlobal6 = {{0x20}, 3};
constexpr Block kSpecial6[] = {
    {{0x20, 0x01}, 23},              // protocols, Teredo among them
    {{0x20, 0x01, 0x0d, 0xb8}, 32},  // documentation
    {{0x3f, 0xff}, 20},
};
constexpr Block kMapped4 = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96};
constexpr Block kTranslated4 = {{0x00, 0x64, 0xff, 0x9b}, 96};
constexpr Block kTunnelled4 = {{0x20, 0x02}, 16};

bool is_in(const Bytes& address, const Block& block) {
  const int whole = block.bits / 8;
  if (!std::equal(address.begin(), address.begin() + whole, block.first.begin())) return false;
  const int rest = block.bits % 8;
  return rest == 0 || (address[whole] ^ block.first[whole]) >> (8 - rest) == 0;
}

bool is_public4(const uint8_t* bytes) {
  Bytes address{};
  std::copy_n(bytes, 4, address.begin());
  return std::none_of(std::begin(kSpecial4), std::end(kSpecial4),
                      [&](const Block& block) { return is_in(address, block); });
}

bool is_public6(const Bytes& address) {
  if (is_in(address, kMapped4) || is_in(address, kTranslated4)) return is_public4(address.data() + 12);
  if (is_in(address, kTunnelled4)) return is_public4(address.data() + 2);
  return is_in(address, kGlobal6) && std::none_of(std::begin(kSpecial6), std::end(kSpecial6),
                                                  [&](const Block& block) { return is_in(address, block); });
}

}  // namespace

bool is_public(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in four;
    std::memcpy(&four, &address, sizeof(four));
    return is_public4(reinterpret_cast<const uint8_t*>(&four.sin_addr));
  }
  if (address.sa_family != AF_INET6) return false;
  sockaddr_in6 six;
  std::memcpy(&six, &address, sizeof(six));
  Bytes bytes;
  std::memcpy(bytes.data(), &six.sin6_addr, bytes.size());
  return is_public6(bytes);
}

}  // namespace kehu::fetch
