#include "profile/seen.h"

#include <algorithm>

namespace kehu::profile {
namespace {

void widen(std::optional<Seen::Period>& period, const Seen::Period& by) {
  if (!period) {
    period = by;
    return;
  }
  period->first = std::min(period->first, by.first);
  period->last = std::max(period->last, by.last);
}

}  // namespace

void Seen::add(Channel channel, Instant time) {
  ++events;
  widen(channels[static_cast<size_t>(channel)], {time, time});
}

void Seen::merge(const Seen& other) {
  events += other.events;
  for (size_t i = 0; i < channels.size(); ++i) {
    if (other.channels[i]) widen(channels[i], *other.channels[i]);
  }
}

void Seen::write(WireBuffer& out) const {
  if (events == 0) return;
  uint64_t present = 0;
  for (size_t i = 0; i < channels.size(); ++i) present |= static_cast<uint64_t>(channels[i].has_value()) << i;
  out.varint(events);
  out.varint(present);
  for (const auto& period : channels) {
    if (!period) continue;
    out.instant(period->last);
    out.duration(period->last - period->first);
  }
}

bool Seen::read(std::string_view section) {
  *this = Seen{};
  if (section.empty()) return true;
  WireReader in(section);
  events = in.varint();
  const uint64_t present = in.varint();
  if (events == 0 || present == 0 || present >> kChannelCount != 0) return false;
  for (size_t i = 0; i < channels.size(); ++i) {
    if ((present >> i & 1) == 0) continue;
    const Instant last = in.instant();
    channels[i] = Period{in.instant_before(last), last};
  }
  return in.complete();
}

}  // namespace kehu::profile
