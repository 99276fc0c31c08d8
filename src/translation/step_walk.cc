#include "translation/step_walk.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace kehu::translation {
namespace {

// A step that must come, and what must not come behind it before the next one.
struct Step {
  uint32_t taken_by = 0;  // bits of StepEvent::steps
  uint32_t broken_by = 0;
};

std::vector<Step> steps_of(std::string_view letters) {
  std::vector<Step> steps;
  for (size_t i = 0; i < letters.size(); ++i) {
    const uint32_t bit = uint32_t{1} << i;
    if (letters[i] == 'p') {
      steps.push_back({bit, 0});
    } else if (!steps.empty()) {
      steps.back().broken_by |= bit;
    }
  }
  return steps;
}

void sort(absl::Span<StepEvent> events) {
  std::sort(events.begin(), events.end(), [](const StepEvent& a, const StepEvent& b) {
    return std::tuple(a.time, std::countr_zero(a.steps), a.steps) <
           std::tuple(b.time, std::countr_zero(b.steps), b.steps);
  });
}

// Of all chains that have taken a step, the one with the most time left goes as far as any other: so each
// step knows one limit.
class Walk {
 public:
  explicit Walk(const StepWalk& asked)
      : asked_(asked), steps_(steps_of(asked.steps)), limits_(steps_.size()) {}

  bool ends_with_absence() const { return steps_.back().broken_by != 0; }
  bool waits_behind(size_t step) const { return limits_[step].has_value(); }

  // The next event. True when it takes the last step in the window. From the last step to the first, so that
  // no event takes two.
  bool add(const StepEvent& event) {
    bool done = false;
    for (size_t i = steps_.size(); i-- > 0;) {
      if ((event.steps & steps_[i].broken_by) != 0) limits_[i].reset();
      if ((event.steps & steps_[i].taken_by) == 0) continue;
      const std::optional<Instant> limit = i == 0 ? begun(event.time) : limits_[i - 1];
      if (!limit || *limit < event.time) continue;
      limits_[i] = std::max(limits_[i].value_or(*limit), *limit);
      done = done || (i + 1 == steps_.size() && asked_.window.contains(event.time));
    }
    return done;
  }

 private:
  // An absence happens one millisecond behind its limit, and counts if that lies in the window.
  std::optional<Instant> begun(Instant t) const {
    const Instant limit = asked_.within.count > 0 ? rule::plus(t, asked_.within, asked_.zone) : kLastInstant;
    const Instant happens = limit + Duration::millis(1);
    if (ends_with_absence() && (happens > asked_.now || !asked_.window.contains(happens)))
      return std::nullopt;
    return limit;
  }

  const StepWalk& asked_;
  const std::vector<Step> steps_;
  std::vector<std::optional<Instant>> limits_;  // by step
};

}  // namespace

bool sequence_happened(const StepWalk& asked, absl::Span<StepEvent> events) {
  if (!asked.steps.starts_with('p')) return false;
  sort(events);
  Walk walk(asked);
  bool happened = false;
  for (const StepEvent& event : events) happened = walk.add(event) || happened;
  const size_t last = static_cast<size_t>(std::count(asked.steps.begin(), asked.steps.end(), 'p')) - 1;
  return walk.ends_with_absence() ? walk.waits_behind(last) : happened;
}

size_t steps_taken(size_t steps, absl::Span<StepEvent> events) {
  const std::string letters(steps, 'p');
  const StepWalk asked = {.steps = letters, .within = {}, .window = {}, .now = {}, .zone = {}};
  sort(events);
  Walk walk(asked);
  for (const StepEvent& event : events) walk.add(event);
  size_t taken = 0;
  while (taken < steps && walk.waits_behind(taken)) ++taken;
  return taken;
}

}  // namespace kehu::translation
