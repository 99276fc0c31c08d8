#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.h"
#include "model/event.h"
#include "profile/wire.h"

// How many events there were, and when on each channel.
namespace kehu::profile {

struct Seen {
  struct Period {
    Instant first;
    Instant last;
  };

  uint64_t events = 0;
  std::array<std::optional<Period>, kChannelCount> channels;

  void add(Channel channel, Instant time);
  void merge(const Seen& other);
  // An empty text is "nothing seen". False on damage.
  bool read(std::string_view section);
  void write(WireBuffer& out) const;
};

}  // namespace kehu::profile
