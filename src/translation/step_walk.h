#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/types/span.h"
#include "rule/window.h"

// Whether events of one customer stand one behind the other as a sequence asks. SQL collects the events that
// take steps, and one pass over them, in their order, tells the rest.
namespace kehu::translation {

struct StepEvent {
  Instant time;
  uint32_t steps = 0;  // a bit for each step that it can take; never 0
};

struct StepWalk {
  std::string_view steps;  // in their order: 'p' must come, 'n' must not; the first one is a 'p'
  rule::Span within;       // of count 0: no limit
  rule::Extent window;
  Instant now;
  BusinessZone zone;
};

// Whether it happened in the window, and has not been ended since. Sorts the events: by time, of equal times
// by the first step that they can take.
bool sequence_happened(const StepWalk& walk, absl::Span<StepEvent> events);
// How many of so many steps were taken one behind the other. Sorts the events.
size_t steps_taken(size_t steps, absl::Span<StepEvent> events);

}  // namespace kehu::translation
