#include "interpreter/sequence.h"

#include <algorithm>
#include <set>

#include "interpreter/selection.h"

namespace kehu::interpreter {
namespace {

using rule::Node;
using rule::Op;

// A step that an event takes, and what may not come between it and the next one.
struct Step {
  Selected events;
  Selected forbidden;  // behind it
};

// Sets of events of one time that take the last steps: what a longer sequence needs to know of a shorter one.
// An event that took an earlier step lies before all of them, and cannot take another one.
using Taken = std::set<const Event*>;
using Reached = std::set<Taken>;

Instant time_of(const Taken& taken) { return (*taken.begin())->time; }

// Both ends belong to it: of equal times, events are in the order of the steps.
bool any_between(const Selected& events, Instant from, Instant to, const Taken& but) {
  return std::any_of(events.begin(), events.end(), [&](const Event* event) {
    return from <= event->time && event->time <= to && !but.contains(event);
  });
}

// Those that take the next step as well.
Reached one_further(const Reached& reached, const Selected& forbidden, const Step& next, Instant latest) {
  Reached out;
  for (const Taken& taken : reached) {
    const Instant time = time_of(taken);
    for (const Event* event : next.events) {
      if (event->time < time || event->time > latest || taken.contains(event)) continue;
      Taken with = taken;
      with.insert(event);
      if (any_between(forbidden, time, event->time, with)) continue;
      out.insert(event->time == time ? with : Taken{event});
    }
  }
  return out;
}

std::vector<Step> steps_of(const Node& node, const Asked& asked) {
  std::vector<Step> steps;
  for (const Node& step : node.of) {
    const Selected events = selected(step.of[0], asked);
    if (step.op == Op::kStep) {
      steps.push_back({events, {}});
    } else if (!steps.empty()) {
      Selected& forbidden = steps.back().forbidden;
      forbidden.insert(forbidden.end(), events.begin(), events.end());
    }
  }
  return steps;
}

class Sequence {
 public:
  Sequence(const Node& node, const Asked& asked)
      : node_(node),
        moment_(asked.moment),
        window_(rule::extent(node.window, asked.moment.now, asked.moment.zone)),
        ends_with_absence_(node.of.back().op == Op::kNotStep) {}

  bool happened(const std::vector<Step>& steps) const {
    return std::any_of(steps[0].events.begin(), steps[0].events.end(),
                       [&](const Event* first) { return happened_from(first, steps); });
  }

 private:
  bool is_limited() const { return node_.span.count > 0; }
  Instant limit(Instant first) const { return rule::plus(first, node_.span, moment_.zone); }

  bool happened_from(const Event* first, const std::vector<Step>& steps) const {
    const Instant latest = is_limited() ? limit(first->time) : kLastInstant;
    Reached reached = {{first}};
    for (size_t i = 1; i < steps.size(); ++i) {
      reached = one_further(reached, steps[i - 1].forbidden, steps[i], latest);
    }
    return std::any_of(reached.begin(), reached.end(), [&](const Taken& taken) {
      return ends_with_absence_ ? is_absent(first->time, taken, steps.back().forbidden)
                                : window_.contains(time_of(taken));
    });
  }

  // It is known one millisecond behind the limit; whatever comes later ends it.
  bool is_absent(Instant first, const Taken& taken, const Selected& forbidden) const {
    const Instant decided = is_limited() ? limit(first) : time_of(taken);
    const Instant happens = decided + Duration::millis(1);
    return happens <= moment_.now && window_.contains(happens) &&
           !any_between(forbidden, time_of(taken), kLastInstant, taken);
  }

  const Node& node_;
  const Moment& moment_;
  const rule::Extent window_;
  const bool ends_with_absence_;
};

using Texts = std::set<std::string>;

Texts texts_of(const std::vector<Step>& steps, std::string_view path, const Moment& moment) {
  Texts out;
  for (const Step& step : steps) {
    for (const Event* event : step.events) {
      for (std::string& text : texts_at(path, *event, moment)) out.insert(std::move(text));
    }
  }
  return out;
}

std::vector<Step> steps_with(const std::string& text, std::vector<Step> steps, std::string_view path,
                             const Moment& moment) {
  const auto lacks_it = [&](const Event* event) {
    const std::vector<std::string> texts = texts_at(path, *event, moment);
    return std::find(texts.begin(), texts.end(), text) == texts.end();
  };
  for (Step& step : steps) {
    std::erase_if(step.events, lacks_it);
    std::erase_if(step.forbidden, lacks_it);
  }
  return steps;
}

}  // namespace

bool sequence_holds(const Node& node, const Asked& asked) {
  const std::vector<Step> steps = steps_of(node, asked);
  if (steps.empty()) return false;
  const Sequence sequence(node, asked);
  if (node.text.empty()) return sequence.happened(steps);
  const Texts texts = texts_of(steps, node.text, asked.moment);
  return std::any_of(texts.begin(), texts.end(), [&](const std::string& text) {
    return sequence.happened(steps_with(text, steps, node.text, asked.moment));
  });
}

rule::Value stage(const Node& node, const Asked& asked) {
  const rule::Extent window = rule::extent(node.window, asked.moment.now, asked.moment.zone);
  std::vector<Step> steps = steps_of(node, asked);
  for (Step& step : steps) {
    std::erase_if(step.events, [&](const Event* event) { return !window.contains(event->time); });
  }
  Reached reached;
  for (const Event* event : steps[0].events) reached.insert({event});
  size_t furthest = 0;
  for (; !reached.empty() && furthest + 1 < steps.size(); ++furthest) {
    Reached next = one_further(reached, {}, steps[furthest + 1], kLastInstant);
    if (next.empty()) break;
    reached = std::move(next);
  }
  if (reached.empty()) return {};
  return rule::Value::of(node.of[furthest].of[0].text);
}

}  // namespace kehu::interpreter
