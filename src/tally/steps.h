#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "aggregate/wire.h"
#include "base/time.h"
#include "rule/tree.h"
#include "rule/window.h"

namespace kehu::tally {

// The pattern of kSequence or kStage, made of its node once.
struct Pattern {
  Pattern(const rule::Node& sequence, BusinessZone in_zone);

  struct Step {
    uint8_t bit = 0;  // of the mask of events that are this step
    bool negative = false;
  };
  std::vector<Step> steps;
  std::optional<rule::Span> within;  // from the first to the last
  BusinessZone zone;                 // of its days
  bool stage = false;
  // "A then not B": it happens when the time is over.
  // The last moment for what begins at `begin`.
  Instant limit(Instant begin) const { return within ? rule::plus(begin, *within, zone) : kLastInstant; }
  bool ends_with_absence() const { return !steps.empty() && steps.back().negative; }
};

// The newest events that were a step of a sequence, and what they add up to. Which of them form a sequence is
// found anew each time: with late events and merges, what was half a sequence becomes a whole one, and the
// other way round. Beyond kSteps the oldest is forgotten, and only when it was the end of a sequence is kept
// (docs/rules.md).
class Steps {
 public:
  static constexpr size_t kSteps = 64;

  struct Event {
    Instant time;
    uint8_t mask = 0;  // bit i: it is step i
    uint64_t key = 0;  // hash of what all have in common; 0 without
    bool operator==(const Event&) const = default;
  };

  void clear();
  bool empty() const { return events_.empty(); }
  // Answers whether sequence() or stage() may have changed by it: not by a step that something else has to
  // follow first.
  bool add(const Pattern& pattern, const Event& event);
  // The same as bytes, where add() would answer false, no event has a key and none is to be forgotten. False:
  // it is not so simple, and `out` is untouched.
  static bool append(const Pattern& pattern, std::string_view payload, const Event& event,
                     aggregate::WireBuffer& out);
  void merge(const Pattern& pattern, const Steps& other);
  // False on damage.
  bool read(std::string_view payload);
  void write(aggregate::WireBuffer& out) const;

  struct Answer {
    bool happened = false;
    // When it may be answered otherwise although nothing happens.
    Instant until = kLastInstant;
  };
  // Whether one happened in the window; with an absence at the end, and no event took it back.
  Answer sequence(const Pattern& pattern, const rule::Window& window, Instant now) const;
  // The furthest step reached in the window, from 1; 0: none.
  size_t stage(const Pattern& pattern, const rule::Extent& extent) const;
  // By time, oldest first.
  const std::vector<Event>& events() const { return events_; }

 private:
  void trim(const Pattern& pattern);

  std::vector<Event> events_;
  Instant forgotten_;  // when a sequence happened last of which an event was forgotten; kFirstInstant: none
};

}  // namespace kehu::tally
