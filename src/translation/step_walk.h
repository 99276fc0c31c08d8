#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "rule/window.h"

// Whether events of one customer stand one behind the other as a sequence asks. SQL collects the events that take
// steps; who is whose successor is decided here, since of equal times every order counts.
namespace kehu::translation {

struct StepEvent {
  Instant time;
  uint32_t steps = 0;  // a bit for each step that it can take
};

// Steps of a sequence in their order: 'p' must come, 'n' must not. At most rule::kSequenceSteps, and the first
// one is a 'p'.
struct StepWalk {
  std::string_view steps;
  rule::Span within;  // of count 0: no limit
  rule::Extent window;
  Instant now;
  BusinessZone zone;
};

// Whether it happened in the window, and has not been ended since. n log n in the events, beside those of equal
// times. Sorts them.
bool sequence_happened(const StepWalk& walk, absl::Span<StepEvent> events);
// How many of so many steps were taken in their order. Sorts the events.
size_t steps_taken(size_t steps, absl::Span<StepEvent> events);

}  // namespace kehu::translation
