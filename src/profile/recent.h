#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string_view>

#include "aggregate/wire.h"
#include "base/limits.h"
#include "base/time.h"
#include "model/event.h"
#include "model/ids.h"

// The newest limits::kRecentEvents events. Which of several equal times fall off the end is decided by kind,
// and events equal in both cannot be told apart: so the list is a function of the set of events.
namespace kehu::profile {

// What recent events have in common; each is written once.
struct EventKind {
  NameId name = NameId(0);  // 0 when the event has none
  EventType type = EventType::kTrack;
  Channel channel = Channel::kUnknown;
  NameId other_channel = NameId(0);  // of Channel::kOther: its name's key
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
  size_t size() const { return size_; }
  // Newest first.
  RecentEvent operator[](size_t i) const { return {times_[i], kinds_[numbers_[i]]}; }

  struct Added {
    bool event = false;  // it came in among the newest
    bool kind = false;   // as the first of its kind
  };
  Added add(const RecentEvent& event);
  void merge(const Recent& other);
  // False on damage.
  bool read(std::string_view section);
  void write(aggregate::WireBuffer& out) const;

  // The usual fold without decoding the list: the event is newer than all and of a kind that is there. False
  // when it is not so, or on damage; `out` is then unchanged.
  static bool prepend(std::string_view section, const RecentEvent& event, aggregate::WireBuffer& out);

 private:
  size_t find_place(const RecentEvent& event) const;
  bool number_kind(const EventKind& kind, uint8_t& number);
  void drop_last();

  // One more than is kept, while an event is being added.
  static constexpr size_t kRoom = limits::kRecentEvents + 1;
  std::array<EventKind, kRoom> kinds_;  // sorted, each in use
  size_t kind_count_ = 0;
  std::array<Instant, kRoom> times_;
  std::array<uint8_t, kRoom> numbers_{};  // of the event's kind
  size_t size_ = 0;
};

}  // namespace kehu::profile
