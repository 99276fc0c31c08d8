#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "aggregate/wire.h"
#include "base/time.h"
#include "model/channel.h"
#include "model/ids.h"

// How many events there were, and when on each channel.
namespace kehu::profile {

struct Seen {
  struct Period {
    Instant first;
    Instant last;
  };

  struct Other {
    uint64_t key = 0;  // channel_key of its name
    Period period;
  };

  uint64_t events = 0;
  std::array<std::optional<Period>, kChannelCount> channels;
  std::vector<Other> others;     // by key; the limits::kChannelsPerCustomer smallest
  std::optional<Period> beyond;  // of all others

  // Whether a channel by name came in.
  bool add(ChannelName channel, Instant time);
  void merge(const Seen& other);
  // An empty text is "nothing seen". False on damage.
  bool read(std::string_view section);
  void write(aggregate::WireBuffer& out) const;

 private:
  bool widen_other(uint64_t key, const Period& period);
};

// The key of a channel by name; 0 for numbered ones.
NameId channel_key(ChannelName channel);

}  // namespace kehu::profile
