#pragma once

#include <functional>
#include <optional>

#include "membership/program.h"
#include "tally/amounts.h"

namespace kehu::membership {

// One evaluation of a program for a customer at a moment. Inside of the room.
class Run {
 public:
  using Step = Program::Step;

  Run(Asked& asked, const BusinessZone& zone) : asked_(asked), zone_(zone), now_(asked.now()) {}

  Answer answer(const Step& step);

 private:
  bool truth(const Answer& answer) const { return rule::as_bool(answer.value).value_or(false); }
  Answer all(const Step& step, bool wanted);
  Answer opposite(const Step& step);
  Answer comparison(const Step& step);
  std::optional<Answer> of_lists(const Step& step);
  Answer between(const Step& step);
  void add(const Answer& one, Answer& any) const;
  Answer among(const Step& step);
  Answer texts(const Step& step);
  Answer within(const Step& step);
  Answer birthday(const Step& step);
  Answer sum(const Step& step);
  Answer cases(const Step& step);
  Answer days_since(const Step& step);
  Answer percentile(const Step& step);
  Answer rfm(const Step& step);
  Answer age(const Step& step);
  Answer band(const Step& step);

  // Functions of events.
  Answer function(const Step& step);
  Answer of_amounts(const Step& step, const tally::Amount& amount, Instant until) const;
  Answer share(const Step& step);
  Answer active_days(const Step& step);
  Answer texts_of(const Step& step);
  Answer end_value(const Step& step);
  Answer nth(const Step& step);
  Answer steps(const Step& step);

  // What a window contains of a tally now.
  struct Held {
    tally::Amount amount = {};
    Instant until = kLastInstant;
  };
  Held held(const Step& step, uint32_t tally);
  // A comparison of amounts that go down bucket by bucket as the window slides: until when it keeps its
  // truth, to the granule. nullopt: it is no such comparison.
  std::optional<Answer> sliding(const Step& step);
  std::optional<Answer> days_compared(const Step& step);
  std::optional<Answer> now_compared(const Step& step);

  struct Range {
    int64_t first = 0;
    int64_t last = 0;
    bool contains(int64_t number) const { return first <= number && number <= last; }
  };
  Range granules(const rule::Window& window, rule::Granule granule) const;
  Instant midnight() const { return zone_.start_of(zone_.day_of(now_).next()); }
  // When the granule leaves the window.
  Instant leaves(const rule::Window& window, int64_t number, rule::Granule granule) const;

  Asked& asked_;
  const BusinessZone& zone_;
  const Instant now_;
};

}  // namespace kehu::membership
