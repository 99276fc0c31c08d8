#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "demo/catalog.h"
#include "demo/event_text.h"
#include "demo/population.h"
#include "demo/random.h"
#include "demo/visit.h"

namespace kehu::demo {

struct RetailerOptions {
  uint64_t seed = 1;
  uint32_t customers = 20'000;  // ever; 60 % exist at the start, the others come evenly over `days`
  Instant start;                // of the simulation; whole minutes
  int days = 90;
  double visits_per_customer_day = 0.12;  // on an ordinary weekday; a visit is about seven events
  double late = 0.01;                     // share of app visits that arrive hours or days after they happened
  double repeated = 0.002;                // share of events a client sends twice
  double broken = 0.001;                  // share of events that no decoder accepts
};

// A simulated Chinese retailer with app, mini-program, web, shops and service: the source of the demo's
// events. The same options give the same events, byte for byte, however the calls are cut; message ids are
// unique within a run and equal between runs, so feeding a history twice adds nothing. Events come in the
// order of their arrival; the few late ones carry an older timestamp.
//
// Owned and used by one thread. Memory: 4 bytes per customer and some 100 KB. No allocation per event once
// warm; ≥ 1 M events/s on one core.
class Retailer {
 public:
  explicit Retailer(const RetailerOptions& options);
  Retailer(const Retailer&) = delete;
  Retailer& operator=(const Retailer&) = delete;

  struct Limit {
    Instant until;  // only events before this instant
    size_t events = 500;
    size_t bytes = 450'000;  // stops after the event that crosses it; below Segment's 500 KB
  };
  // Replaces `body` by {"batch":[…]} with the next events and returns their number; 0 (and {"batch":[]}) when
  // there are no more before limit.until. Keep `body` from call to call to avoid allocations.
  size_t next_batch(const Limit& limit, std::string& body);

  // Goes on to `until` and drops what happens before: how a restarted demo finds its place again. As fast as
  // next_batch.
  void skip_to(Instant until);

  // From now on visits begin `factor` times as often, and at every hour of the day alike: a small retailer's
  // live stream is quiet otherwise, and empty at night. A visit takes minutes, so full traffic is reached
  // after kRampUp.
  void set_live_traffic(double factor) { live_traffic_ = factor; }
  static constexpr Duration kRampUp = Duration::minutes(10);

  // No event before this instant is still to come.
  Instant now() const { return now_; }
  const Catalog& catalog() const { return catalog_; }

 private:
  struct Due {
    Instant at;
    uint32_t slot;
    bool operator>(const Due& other) const { return at != other.at ? at > other.at : slot > other.slot; }
  };

  void begin_minute();
  void begin_visits(Channel channel, double mean);
  void begin_visit(Channel channel);
  bool choose_visitor(Channel channel, Visit& visit);
  void equip(Visit& visit);
  void emit(uint32_t slot, Instant at, std::string& out);
  void park_copy(std::string_view event, Instant at);
  uint32_t take_slot();
  void schedule(uint32_t slot, Instant at);
  uint32_t customers_so_far() const;

  RetailerOptions options_;
  Catalog catalog_;
  Population population_;
  EventText text_;
  Random random_;
  std::optional<double> live_traffic_;
  Instant now_;
  Instant minute_;  // the next minute whose visits have not begun
  Day today_;
  int64_t today_number_ = INT64_MIN;
  std::vector<Memory> memories_;  // by customer
  std::vector<Visit> visits_;     // by slot
  std::vector<uint32_t> free_slots_;
  std::vector<Due> due_;  // heap, the earliest first
  std::vector<std::string> parked_;
  std::vector<uint32_t> free_parked_;
  uint32_t visit_number_ = 0;
};

}  // namespace kehu::demo
