#include "profile/recent.h"

#include <algorithm>

namespace kehu::profile {
namespace {

void write_kind(const EventKind& kind, WireBuffer& out) {
  out.key(kind.name.value());
  out.byte(static_cast<uint8_t>(static_cast<uint8_t>(kind.type) << 4 | static_cast<uint8_t>(kind.channel)));
  out.varint(kind.source.value());
}

EventKind read_kind(WireReader& in) {
  EventKind kind;
  kind.name = NameId(in.key());
  const uint8_t type_and_channel = in.byte();
  const uint64_t source = in.varint();
  const int type = type_and_channel >> 4;
  const int channel = type_and_channel & 15;
  if (type < 1 || type > 6 || channel >= kChannelCount || source > UINT32_MAX) in.fail();
  kind.type = static_cast<EventType>(type);
  kind.channel = static_cast<Channel>(channel);
  kind.source = SourceId(static_cast<uint32_t>(source));
  return kind;
}

// The different kinds of a few events, sorted.
class KindTable {
 public:
  void add(const EventKind& kind) {
    EventKind* const at = std::lower_bound(kinds_.data(), kinds_.data() + size_, kind);
    if (at != kinds_.data() + size_ && *at == kind) return;
    std::copy_backward(at, kinds_.data() + size_, kinds_.data() + size_ + 1);
    *at = kind;
    ++size_;
  }
  void push(const EventKind& kind) { kinds_[size_++] = kind; }
  size_t number_of(const EventKind& kind) const {
    return static_cast<size_t>(std::lower_bound(kinds_.data(), kinds_.data() + size_, kind) - kinds_.data());
  }
  size_t size() const { return size_; }
  const EventKind& operator[](size_t i) const { return kinds_[i]; }

 private:
  std::array<EventKind, limits::kRecentEvents> kinds_;
  size_t size_ = 0;
};

}  // namespace

bool Recent::has_kind(const EventKind& kind) const {
  return std::any_of(begin(), end(), [&](const RecentEvent& event) { return event.kind == kind; });
}

bool Recent::add(const RecentEvent& event) {
  const bool full = size_ == events_.size();
  if (full && !(event < events_[size_ - 1])) return false;
  size_t at = full ? size_ - 1 : size_++;
  for (; at > 0 && event < events_[at - 1]; --at) events_[at] = events_[at - 1];
  events_[at] = event;
  return true;
}

void Recent::merge(const Recent& other) {
  for (const RecentEvent& event : other) add(event);
}

void Recent::write(WireBuffer& out) const {
  if (size_ == 0) return;
  KindTable kinds;
  for (const RecentEvent& event : *this) kinds.add(event.kind);
  out.byte(static_cast<uint8_t>(kinds.size()));
  for (size_t i = 0; i < kinds.size(); ++i) write_kind(kinds[i], out);
  out.byte(static_cast<uint8_t>(size_));
  for (size_t i = 0; i < size_; ++i) {
    if (i == 0) {
      out.instant(events_[0].time);
    } else {
      out.duration(events_[i - 1].time - events_[i].time);
    }
    out.byte(static_cast<uint8_t>(kinds.number_of(events_[i].kind)));
  }
}

bool Recent::read(std::string_view section) {
  size_ = 0;
  if (section.empty()) return true;
  WireReader in(section);
  const size_t kind_count = in.byte();
  if (kind_count == 0 || kind_count > events_.size()) return false;
  KindTable kinds;
  for (size_t i = 0; i < kind_count; ++i) {
    kinds.push(read_kind(in));
    if (i > 0 && !(kinds[i - 1] < kinds[i])) return false;
  }
  const size_t count = in.byte();
  if (count == 0 || count > events_.size()) return false;
  for (; size_ < count && !in.failed(); ++size_) {
    events_[size_].time = size_ == 0 ? in.instant() : in.instant_before(events_[size_ - 1].time);
    const size_t number = in.byte();
    if (number >= kind_count) return false;
    events_[size_].kind = kinds[number];
  }
  return in.complete();
}

}  // namespace kehu::profile
