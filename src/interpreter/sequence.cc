#include "interpreter/sequence.h"

#include <algorithm>
#include <bit>
#include <set>
#include <tuple>

#include "interpreter/selection.h"

namespace kehu::interpreter {
namespace {

using rule::Node;
using rule::Op;

// An event that is a step, or several: bit i of the mask says that it is step i.
struct Taker {
  const Event* event = nullptr;
  unsigned mask = 0;

  bool is(size_t step) const { return mask >> step & 1; }
};
// In their order: by time; of equal times, in the order of the first step that they are.
using Takers = std::vector<Taker>;
// Places in it.
using Places = std::set<size_t>;

Takers takers_of(const Node& node, const Asked& asked) {
  Takers out;
  for (size_t step = 0; step < node.of.size(); ++step) {
    for (const Event* event : selected(node.of[step].of[0], asked)) {
      auto at = std::find_if(out.begin(), out.end(), [&](const Taker& one) { return one.event == event; });
      if (at == out.end()) at = out.insert(at, {event, 0});
      at->mask |= 1u << step;
    }
  }
  std::stable_sort(out.begin(), out.end(), [](const Taker& a, const Taker& b) {
    return std::tuple(a.event->time, std::countr_zero(a.mask), a.mask) <
           std::tuple(b.event->time, std::countr_zero(b.mask), b.mask);
  });
  return out;
}

bool any_is(const Takers& takers, size_t step, size_t from, size_t to) {
  for (size_t place = from; place < to; ++place) {
    if (takers[place].is(step)) return true;
  }
  return false;
}

// From places where a step was taken to those where the next one is, without one of `forbidden` in between.
Places one_further(const Takers& takers, const Places& reached, const std::vector<size_t>& forbidden,
                   size_t step, Instant latest) {
  Places out;
  for (const size_t from : reached) {
    for (size_t to = from + 1; to < takers.size(); ++to) {
      if (!takers[to].is(step) || takers[to].event->time > latest) continue;
      const bool broken = std::any_of(forbidden.begin(), forbidden.end(),
                                      [&](size_t other) { return any_is(takers, other, from + 1, to); });
      if (!broken) out.insert(to);
    }
  }
  return out;
}

class Sequence {
 public:
  Sequence(const Node& node, const Asked& asked)
      : node_(node),
        moment_(asked.moment),
        window_(rule::extent(node.window, asked.moment.now, asked.moment.zone)) {}

  bool happened(const Takers& takers) const {
    for (size_t place = 0; place < takers.size(); ++place) {
      if (takers[place].is(0) && happened_from(place, takers)) return true;
    }
    return false;
  }

 private:
  Instant limit(Instant first) const {
    return node_.span.count > 0 ? rule::plus(first, node_.span, moment_.zone) : kLastInstant;
  }

  bool happened_from(size_t first, const Takers& takers) const {
    const Instant latest = limit(takers[first].event->time);
    Places reached = {first};
    std::vector<size_t> forbidden;
    for (size_t step = 1; step < node_.of.size(); ++step) {
      if (node_.of[step].op == Op::kNotStep) {
        forbidden.push_back(step);
        continue;
      }
      reached = one_further(takers, reached, forbidden, step, latest);
      forbidden.clear();
    }
    return std::any_of(reached.begin(), reached.end(), [&](size_t last) {
      return forbidden.empty() ? window_.contains(takers[last].event->time)
                               : is_absent(last, latest, forbidden, takers);
    });
  }

  // It is known one millisecond behind the limit; whatever comes later ends it.
  bool is_absent(size_t last, Instant latest, const std::vector<size_t>& forbidden,
                 const Takers& takers) const {
    const Instant happens = latest + Duration::millis(1);
    if (happens > moment_.now || !window_.contains(happens)) return false;
    return std::none_of(forbidden.begin(), forbidden.end(),
                        [&](size_t step) { return any_is(takers, step, last + 1, takers.size()); });
  }

  const Node& node_;
  const Moment& moment_;
  const rule::Extent window_;
};

Takers with_text(Takers takers, const std::string& text, std::string_view path, const Asked& asked) {
  std::erase_if(takers, [&](const Taker& one) {
    const std::vector<std::string> texts = texts_at(path, *one.event, asked);
    return std::find(texts.begin(), texts.end(), text) == texts.end();
  });
  return takers;
}

}  // namespace

bool sequence_holds(const Node& node, const Asked& asked) {
  const Takers takers = takers_of(node, asked);
  const Sequence sequence(node, asked);
  if (node.text.empty()) return sequence.happened(takers);
  std::set<std::string> texts;
  for (const Taker& one : takers) {
    for (std::string& text : texts_at(node.text, *one.event, asked)) texts.insert(std::move(text));
  }
  return std::any_of(texts.begin(), texts.end(), [&](const std::string& text) {
    return sequence.happened(with_text(takers, text, node.text, asked));
  });
}

rule::Value stage(const Node& node, const Asked& asked) {
  const rule::Extent window = rule::extent(node.window, asked.moment.now, asked.moment.zone);
  Takers takers = takers_of(node, asked);
  std::erase_if(takers, [&](const Taker& one) { return !window.contains(one.event->time); });
  Places reached;
  for (size_t place = 0; place < takers.size(); ++place) {
    if (takers[place].is(0)) reached.insert(place);
  }
  if (reached.empty()) return {};
  size_t furthest = 0;
  for (; furthest + 1 < node.of.size(); ++furthest) {
    reached = one_further(takers, reached, {}, furthest + 1, kLastInstant);
    if (reached.empty()) break;
  }
  return rule::Value::of(node.of[furthest].of[0].text);
}

}  // namespace kehu::interpreter
