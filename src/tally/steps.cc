#include "tally/steps.h"

#include <algorithm>
#include <array>
#include <bit>
#include <tuple>

#include "absl/container/inlined_vector.h"
#include "tally/slide.h"

// A sequence is found in one walk over its events in their order. For each step it is enough to remember the
// latest beginning from which it can be reached: a later beginning is within the time whenever an earlier one
// is, and an event that must not come between ends all of them alike.
namespace kehu::tally {
namespace {

using Event = Steps::Event;

// Of equal times, in the order of the first step that they are.
auto order_of(const Event& event) {
  return std::tuple(event.time, std::countr_zero(static_cast<unsigned>(event.mask)), event.mask, event.key);
}
bool earlier(const Event& a, const Event& b) { return order_of(a) < order_of(b); }
bool is(const Event& event, const Pattern::Step& step) { return event.mask >> step.bit & 1; }

// Whether an event behind all others changes what sequence() or stage() say.
bool moves_at_once(const Pattern& pattern, const Event& event) {
  const size_t size = pattern.steps.size();
  return pattern.stage || is(event, pattern.steps[size - 1]) ||
         (pattern.ends_with_absence() && is(event, pattern.steps[size - 2]));
}

// One walk, for events of one key. Reports when a sequence happened, with its latest beginning; of those that
// end with an absence, when it will happen if nothing takes it back.
class Walk {
 public:
  using Moments = absl::InlinedVector<Instant, rule::kSequenceSteps>;

  explicit Walk(const Pattern& pattern) : pattern_(pattern) { begins_.fill(kNever); }

  void take(const Event& event) {
    if (is(event, pattern_.steps.back()) && pattern_.ends_with_absence()) pending_.clear();
    // From the last step to the first, so that no event takes two of them.
    const std::vector<Pattern::Step>& steps = pattern_.steps;
    for (size_t i = steps.size(); i-- > 0;) {
      if (steps[i].negative) {
        if (is(event, steps[i]) && i > 0) hold_back(i);
      } else if (is(event, steps[i])) {
        reach(i, event);
      }
    }
    settle();
  }

  const Moments& happened() const { return happened_; }
  const Moments& pending() const { return pending_; }

 private:
  static constexpr Instant kNever = kFirstInstant;

  // The positive step before step i.
  std::optional<size_t> before(size_t i) const {
    while (i-- > 0) {
      if (!pattern_.steps[i].negative) return i;
    }
    return std::nullopt;
  }
  bool is_last_positive(size_t i) const {
    return i + 1 == pattern_.steps.size() || (i + 2 == pattern_.steps.size() && pattern_.ends_with_absence());
  }
  void hold_back(size_t i) {
    if (const auto step = before(i)) held_.push_back(*step);
  }
  void reach(size_t i, const Event& event) {
    const auto step = before(i);
    const Instant begin = step ? begins_[*step] : event.time;
    if (begin == kNever) return;
    if (event.time > pattern_.limit(begin)) return;
    if (!is_last_positive(i)) {
      reached_.push_back({i, begin});
    } else if (pattern_.ends_with_absence()) {
      pending_.push_back(pattern_.limit(begin) + Duration::millis(1));
    } else {
      happened_.push_back(event.time);
    }
  }
  // What the event ends counts before what begins with it.
  void settle() {
    for (const size_t step : held_) begins_[step] = kNever;
    for (const auto& [step, begin] : reached_) begins_[step] = std::max(begins_[step], begin);
    held_.clear();
    reached_.clear();
  }

  const Pattern& pattern_;
  std::array<Instant, rule::kSequenceSteps> begins_;  // of each positive step: the latest first event
  absl::InlinedVector<size_t, rule::kSequenceSteps> held_;
  absl::InlinedVector<std::pair<size_t, Instant>, rule::kSequenceSteps> reached_;
  Moments happened_;
  Moments pending_;
};

// Walks events of each key by themselves; calls done(walk).
template <class Done>
void walk_each(const Pattern& pattern, const std::vector<Event>& events, const Done& done) {
  absl::InlinedVector<uint64_t, 8> keys;
  for (const Event& event : events) {
    if (keys.empty() || keys.back() != event.key) keys.push_back(event.key);
  }
  std::ranges::sort(keys);
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  for (const uint64_t key : keys) {
    Walk walk(pattern);
    for (const Event& event : events) {
      if (event.key == key) walk.take(event);
    }
    done(walk);
  }
}

}  // namespace

Pattern::Pattern(const rule::Node& sequence, BusinessZone in_zone)
    : zone(std::move(in_zone)), stage(sequence.op == rule::Op::kStage) {
  for (const rule::Node& step : sequence.of) {
    steps.push_back({static_cast<uint8_t>(steps.size()), step.op == rule::Op::kNotStep});
  }
  if (sequence.span.count > 0) within = sequence.span;
}

void Steps::clear() {
  events_.clear();
  forgotten_ = kFirstInstant;
}

bool Steps::add(const Pattern& pattern, const Event& event) {
  if (events_.empty()) forgotten_ = std::max(forgotten_, kFirstInstant);
  const auto at = std::upper_bound(events_.begin(), events_.end(), event, earlier);
  const bool newest = at == events_.end();
  events_.insert(at, event);
  trim(pattern);
  return !newest || moves_at_once(pattern, event);
}

// Most events of a sequence are views: they come in order, and only what follows gives them a meaning. The
// newest event stands first.
bool Steps::append(const Pattern& pattern, std::string_view payload, const Event& event,
                   aggregate::WireBuffer& out) {
  if (payload.empty() || event.key != 0 || moves_at_once(pattern, event)) return false;
  aggregate::WireReader in(payload);
  const uint64_t head = in.varint();
  if ((head & 3) != 0 || head >> 2 == 0 || head >> 2 >= kSteps) return false;
  const Instant newest = in.instant();
  if (in.failed() || newest >= event.time) return false;
  out.varint(head + 4);
  out.instant(event.time);
  out.byte(event.mask);
  out.duration(event.time - newest);
  out.raw(in.rest());
  return true;
}

void Steps::merge(const Pattern& pattern, const Steps& other) {
  forgotten_ = std::max(forgotten_, other.forgotten_);
  std::vector<Event> all;
  std::ranges::merge(events_, other.events_, std::back_inserter(all), earlier);
  events_.swap(all);
  trim(pattern);
}

void Steps::trim(const Pattern& pattern) {
  if (events_.size() <= kSteps) return;
  if (!pattern.stage) {
    walk_each(pattern, events_, [this](const Walk& walk) {
      for (const Instant t : walk.happened()) forgotten_ = std::max(forgotten_, t);
      for (const Instant t : walk.pending()) forgotten_ = std::max(forgotten_, t);
    });
  }
  events_.erase(events_.begin(), events_.end() - kSteps);
}

Steps::Answer Steps::sequence(const Pattern& pattern, const rule::Window& window, Instant now) const {
  const BusinessZone& zone = pattern.zone;
  const rule::Extent extent = rule::extent(window, now, zone);
  Answer answer;
  Instant latest = kFirstInstant;  // of those in the window: when it leaves, none is left
  const auto happened = [&](Instant t) {
    if (t > now && pattern.ends_with_absence()) {
      answer.until = std::min(answer.until, t);
    } else if (extent.contains(t)) {
      answer.happened = true;
      latest = std::max(latest, t);
    } else if (extent.to <= t) {
      answer.until = std::min(answer.until, rule::next_edge(window, now, zone));
    }
  };
  const auto is_last = [&](const Event& event) { return is(event, pattern.steps.back()); };
  const bool taken_back = pattern.ends_with_absence() && std::ranges::any_of(events_, is_last);
  if (forgotten_ != kFirstInstant && !taken_back) happened(forgotten_);
  walk_each(pattern, events_, [&](const Walk& walk) {
    for (const Instant t : walk.happened()) happened(t);
    for (const Instant t : walk.pending()) happened(t);
  });
  if (answer.happened) answer.until = std::min(answer.until, leaves(window, latest, now, zone));
  return answer;
}

size_t Steps::stage(const Pattern& pattern, const rule::Extent& extent) const {
  size_t reached = 0;
  for (const Event& event : events_) {
    if (!extent.contains(event.time)) continue;
    if (reached < pattern.steps.size() && event.mask >> pattern.steps[reached].bit & 1) ++reached;
  }
  return reached;
}

// varint n, then from the newest to the oldest: instant, each further one a duration before; byte mask; and
// if any event has a key, each one's key. Instant of the forgotten one, if there is one.
bool Steps::read(std::string_view payload) {
  clear();
  if (payload.empty()) return true;
  aggregate::WireReader in(payload);
  const uint64_t head = in.varint();
  const bool keys = head & 1;
  const bool forgotten = head >> 1 & 1;
  const uint64_t count = head >> 2;
  if (count == 0 || count > kSteps) return false;
  if (forgotten) forgotten_ = in.instant();
  Instant time;
  for (uint64_t i = 0; i < count && !in.failed(); ++i) {
    time = i == 0 ? in.instant() : in.instant_before(time);
    Event event{.time = time};
    event.mask = in.byte();
    if (keys) event.key = in.key();
    events_.push_back(event);
  }
  std::ranges::reverse(events_);
  return in.complete();
}

void Steps::write(aggregate::WireBuffer& out) const {
  if (empty()) return;
  const bool keys = std::ranges::any_of(events_, [](const Event& event) { return event.key != 0; });
  const bool forgotten = forgotten_ != kFirstInstant;
  out.varint(events_.size() << 2 | (forgotten ? 2 : 0) | (keys ? 1 : 0));
  if (forgotten) out.instant(forgotten_);
  for (size_t i = events_.size(); i-- > 0;) {
    i + 1 == events_.size() ? out.instant(events_[i].time)
                            : out.duration(events_[i + 1].time - events_[i].time);
    out.byte(events_[i].mask);
    if (keys) out.key(events_[i].key);
  }
}

}  // namespace kehu::tally
