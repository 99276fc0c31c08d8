#pragma once

#include <cstdint>
#include <string>

#include "base/time.h"

namespace kehu::feed {

// A message of a broker.
struct Message {
  std::string topic;
  std::string stream;     // what `position` counts in: "orders/3" for a partition of a topic
  uint64_t position = 0;  // the broker's offset, or another number that no other message of the stream has
  std::string key;
  Instant time;  // the broker's, or that of the arrival
  std::string payload;
};

}  // namespace kehu::feed
