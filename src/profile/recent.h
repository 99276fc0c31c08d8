#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string_view>

#include "base/limits.h"
#include "base/time.h"
#include "model/event.h"
#include "model/ids.h"
#include "profile/wire.h"

// The newest limits::kRecentEvents events. Which of several equal times fall off the end is decided by kind, and
// events equal in both cannot be told apart: so the list is a function of the set of events.
namespace kehu::profile {

// What recent events have in common; each is written once.
struct EventKind {
  NameId name = NameId(0);  // 0 when the event has none
  EventType type = EventType::kTrack;
  Channel channel = Channel::kUnknown;
  SourceId source;

  auto operator<=>(const EventKind&) const = default;
};

struct RecentEvent {
  Instant time;
  EventKind kind;

  // Newest first.
  friend bool operator<(const RecentEvent& a, const RecentEvent& b) {
    return a.time != b.time ? a.time > b.time : a.kind < b.kind;
  }
};

class Recent {
 public:
  const RecentEvent* begin() const { return events_.data(); }
  const RecentEvent* end() const { return events_.data() + size_; }
  bool has_kind(const EventKind& kind) const;

  // Whether the event came in among the newest.
  bool add(const RecentEvent& event);
  void merge(const Recent& other);
  // False on damage.
  bool read(std::string_view section);
  void write(WireBuffer& out) const;

 private:
  std::array<RecentEvent, limits::kRecentEvents> events_;
  size_t size_ = 0;
};

}  // namespace kehu::profile
