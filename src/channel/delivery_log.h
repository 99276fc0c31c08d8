#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/time.h"
#include "channel/channel.h"

namespace kehu::channel {

// What an operator is to read of deliveries: that a channel fails or refuses, at most once a minute however
// much it is given, and that it delivers again. Says nothing of the intents. One thread at a time.
class DeliveryLog {
 public:
  static constexpr Duration kPause = Duration::seconds(60);

  // Of one attempt, at a time that does not go backwards: the line to be written now, or "".
  std::string line_of(std::string_view channel, const absl::StatusOr<Delivery>& result, Duration now);

 private:
  struct Trouble {
    uint64_t failures = 0;  // since the last line
    uint64_t refusals = 0;
    bool failing = false;  // a line said so, and nothing was delivered since
    Duration next_line;    // not before
  };
  std::map<std::string, Trouble, std::less<>> troubles_;  // by channel
};

}  // namespace kehu::channel
