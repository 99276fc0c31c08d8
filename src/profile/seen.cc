#include "profile/seen.h"

#include <algorithm>

#include "base/limits.h"

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

// These bits stand behind those of the numbered channels in the mask.
constexpr uint64_t kOthers = 1u << kChannelCount;
constexpr uint64_t kBeyond = kOthers << 1;

void write_period(const Seen::Period& period, aggregate::WireBuffer& out) {
  out.instant(period.last);
  out.duration(period.last - period.first);
}

Seen::Period read_period(aggregate::WireReader& in) {
  const Instant last = in.instant();
  return {in.instant_before(last), last};
}

}  // namespace

NameId channel_key(ChannelName channel) {
  return channel.channel == Channel::kOther ? name_id(channel.text) : NameId(0);
}

bool Seen::add(ChannelName channel, Instant time) {
  ++events;
  if (channel.channel == Channel::kOther) return widen_other(channel_key(channel).value(), {time, time});
  widen(channels[static_cast<size_t>(channel.channel)], {time, time});
  return false;
}

// Channels with names are kept like all names, as those with the smallest hashes; the rest share one
// period. The largest key kept only ever gets smaller, so a key that was once pushed out can never come
// back, and a channel that is listed has missed none of its events. True when the key is new.
bool Seen::widen_other(uint64_t key, const Period& period) {
  const auto at = std::lower_bound(others.begin(), others.end(), key,
                                   [](const Other& other, uint64_t wanted) { return other.key < wanted; });
  if (at != others.end() && at->key == key) {
    at->period = {std::min(at->period.first, period.first), std::max(at->period.last, period.last)};
    return false;
  }
  if (at - others.begin() == static_cast<ptrdiff_t>(limits::kChannelsPerCustomer)) {
    widen(beyond, period);
    return false;
  }
  others.insert(at, {key, period});
  if (others.size() > limits::kChannelsPerCustomer) {
    widen(beyond, others.back().period);
    others.pop_back();
  }
  return true;
}

void Seen::merge(const Seen& other) {
  events += other.events;
  for (size_t i = 0; i < channels.size(); ++i) {
    if (other.channels[i]) widen(channels[i], *other.channels[i]);
  }
  for (const Other& each : other.others) widen_other(each.key, each.period);
  if (other.beyond) widen(beyond, *other.beyond);
}

void Seen::write(aggregate::WireBuffer& out) const {
  if (events == 0) return;
  uint64_t present = (others.empty() ? 0 : kOthers) | (beyond ? kBeyond : 0);
  for (size_t i = 0; i < channels.size(); ++i) present |= static_cast<uint64_t>(channels[i].has_value()) << i;
  out.varint(events);
  out.varint(present);
  for (const auto& period : channels) {
    if (period) write_period(*period, out);
  }
  if (!others.empty()) {
    out.byte(static_cast<uint8_t>(others.size()));
    for (const Other& other : others) {
      out.key(other.key);
      write_period(other.period, out);
    }
  }
  if (beyond) write_period(*beyond, out);
}

bool Seen::read(std::string_view section) {
  events = 0;
  channels = {};
  others.clear();
  beyond.reset();
  if (section.empty()) return true;
  aggregate::WireReader in(section);
  events = in.varint();
  const uint64_t present = in.varint();
  if (events == 0 || present == 0 || present > (kBeyond | (kBeyond - 1))) return false;
  for (size_t i = 0; i < channels.size(); ++i) {
    if (present >> i & 1) channels[i] = read_period(in);
  }
  if (present & kOthers) {
    const size_t count = in.byte();
    if (count == 0 || count > limits::kChannelsPerCustomer) return false;
    for (size_t i = 0; i < count && !in.failed(); ++i) {
      const uint64_t key = in.key();
      if (i > 0 && key <= others.back().key) in.fail();
      others.push_back({key, read_period(in)});
    }
  }
  if (present & kBeyond) beyond = read_period(in);
  return in.complete();
}

}  // namespace kehu::profile
