#include "translation/step_walk.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>

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

// The events of one time that chains have taken, sorted. Events of the same steps can stand for each other, so
// each is known by its steps alone.
using Taken = std::vector<uint32_t>;

// Until when the last step may come; of chains that are alike, the one with the most time goes furthest.
using Limits = std::map<Taken, Instant>;

void keep(Limits& limits, const Taken& taken, Instant limit) {
  auto [found, is_new] = limits.try_emplace(taken, limit);
  if (!is_new) found->second = std::max(found->second, limit);
}

// Events of one time.
class Group {
 public:
  explicit Group(absl::Span<const StepEvent> events) : time_(events[0].time) {
    for (const StepEvent& event : events) ++counts_[event.steps];
  }

  Instant time() const { return time_; }

  // Whether an event breaks a chain that has taken these of them.
  bool breaks(uint32_t by, const Taken& taken) const {
    int left = 0;
    for (const auto& [steps, count] : counts_) left += (steps & by) != 0 ? count : 0;
    for (const uint32_t steps : taken) left -= (steps & by) != 0 ? 1 : 0;
    return left > 0;
  }

  // `taken` and one more event, for each kind of event that can take a step and is left.
  std::vector<Taken> with_one_more(const Taken& taken, uint32_t step) const {
    std::vector<Taken> out;
    for (const auto& [steps, count] : counts_) {
      if ((steps & step) == 0 || std::count(taken.begin(), taken.end(), steps) >= count) continue;
      Taken with = taken;
      with.insert(std::upper_bound(with.begin(), with.end(), steps), steps);
      out.push_back(std::move(with));
    }
    return out;
  }

 private:
  Instant time_;
  std::map<uint32_t, int> counts_;  // by steps
};

class Walk {
 public:
  Walk(const StepWalk& asked, std::vector<Step> steps)
      : asked_(asked), steps_(std::move(steps)), waiting_(steps_.size()) {}

  // Events of one time, behind all others so far. True when the last step was taken in the window.
  bool add(const Group& group) {
    std::vector<Limits> here = begun(group);
    bool done = false;
    for (size_t i = 0; i < steps_.size(); ++i) {
      if (i > 0) {
        go_on(group, i, waiting_[i - 1] ? Limits{{{}, *waiting_[i - 1]}} : Limits(), here[i]);
        go_on(group, i, here[i - 1], here[i]);
      }
      if (!here[i].empty()) furthest_ = std::max(furthest_, i + 1);
    }
    done = !here.back().empty() && asked_.window.contains(group.time());
    for (size_t i = 0; i < steps_.size(); ++i) wait(group, i, here[i]);
    return done;
  }

  bool waits_behind_the_last() const { return waiting_.back().has_value(); }
  size_t furthest() const { return furthest_; }

 private:
  bool ends_with_absence() const { return steps_.back().broken_by != 0; }
  bool is_limited() const { return asked_.within.count > 0; }

  // An absence happens one millisecond behind its limit.
  bool counts_as_absent(Instant decided) const {
    const Instant happens = decided + Duration::millis(1);
    return happens <= asked_.now && asked_.window.contains(happens);
  }

  std::vector<Limits> begun(const Group& group) const {
    std::vector<Limits> here(steps_.size());
    const Instant limit = is_limited() ? rule::plus(group.time(), asked_.within, asked_.zone) : kLastInstant;
    if (ends_with_absence() && is_limited() && !counts_as_absent(limit)) return here;
    for (const Taken& taken : group.with_one_more({}, steps_[0].taken_by)) keep(here[0], taken, limit);
    return here;
  }

  void go_on(const Group& group, size_t step, const Limits& from, Limits& to) const {
    for (const auto& [taken, limit] : from) {
      if (group.time() > limit) continue;
      for (const Taken& with : group.with_one_more(taken, steps_[step].taken_by)) {
        if (!group.breaks(steps_[step - 1].broken_by, with)) keep(to, with, limit);
      }
    }
  }

  // What is left of the chains behind this time.
  void wait(const Group& group, size_t step, const Limits& here) {
    const uint32_t broken_by = steps_[step].broken_by;
    if (group.breaks(broken_by, {})) waiting_[step].reset();
    const bool last = step + 1 == steps_.size();
    if (last && ends_with_absence() && !is_limited() && !counts_as_absent(group.time())) return;
    for (const auto& [taken, limit] : here) {
      if (group.breaks(broken_by, taken)) continue;
      waiting_[step] = std::max(waiting_[step].value_or(limit), limit);
    }
  }

  const StepWalk& asked_;
  std::vector<Step> steps_;
  std::vector<std::optional<Instant>> waiting_;  // by step: the limit of a chain that has taken it
  size_t furthest_ = 0;
};

template <class Visit>
void each_group(absl::Span<StepEvent> events, Visit visit) {
  std::sort(events.begin(), events.end(), [](const StepEvent& a, const StepEvent& b) { return a.time < b.time; });
  for (size_t begin = 0, end = 0; begin < events.size(); begin = end) {
    while (end < events.size() && events[end].time == events[begin].time) ++end;
    if (!visit(Group(events.subspan(begin, end - begin)))) return;
  }
}

}  // namespace

bool sequence_happened(const StepWalk& asked, absl::Span<StepEvent> events) {
  const std::vector<Step> steps = steps_of(asked.steps);
  if (steps.empty()) return false;
  const bool absence = asked.steps.ends_with('n');
  Walk walk(asked, steps);
  bool happened = false;
  each_group(events, [&](const Group& group) {
    happened = walk.add(group) && !absence;
    return !happened;
  });
  return absence ? walk.waits_behind_the_last() : happened;
}

size_t steps_taken(size_t steps, absl::Span<StepEvent> events) {
  const std::string letters(steps, 'p');
  const StepWalk asked = {.steps = letters, .within = {}, .window = {}, .now = {}, .zone = {}};
  Walk walk(asked, steps_of(letters));
  each_group(events, [&](const Group& group) {
    walk.add(group);
    return walk.furthest() < steps;
  });
  return walk.furthest();
}

}  // namespace kehu::translation
