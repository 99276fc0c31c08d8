#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "demo/load_profile.h"

// The load of the benchmarks as the clients of each protocol send it.
namespace kehu::load {

enum class Protocol : uint8_t { kSegment, kRudder, kSensors, kPostHog, kCloudEvents, kPlain };
inline constexpr std::array kProtocols = {Protocol::kSegment, Protocol::kRudder,      Protocol::kSensors,
                                          Protocol::kPostHog, Protocol::kCloudEvents, Protocol::kPlain};
std::string_view to_string(Protocol protocol);
// How its requests are packed, for the reader of a figure.
std::string_view packing_of(Protocol protocol);

// Whole requests, made before the clock starts: clients pack on their own machines. Each event has an id of
// its own.
class ProtocolLoad {
 public:
  ProtocolLoad(Protocol protocol, std::string write_key, uint32_t customers);

  // Makes this many, of `events` events each.
  void prepare(size_t requests, size_t events, Instant now);
  // Moves the next request to `out` and returns its events; 0 when there is none left.
  size_t next(std::string& out);

 private:
  std::string body(size_t events, Instant now);
  std::string request(std::string_view path, std::string_view headers, std::string_view body) const;

  const Protocol protocol_;
  const std::string write_key_;
  demo::LoadProfile profile_;
  size_t events_ = 0;
  std::vector<std::string> requests_;
};

}  // namespace kehu::load
