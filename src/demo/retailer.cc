#include "demo/retailer.h"

#include <algorithm>
#include <functional>

#include "base/check.h"

// A discrete-event simulation. What is to happen stands in a heap by its time, and the clock goes from entry
// to entry; each is one visit, which gives an event, chooses what comes next (visit.h) and is put back.
// Visits begin minute by minute, in numbers of a Poisson distribution: many people who act for themselves. A
// minute is begun only when the heap has nothing before it, so the heap holds the visits that are under way,
// not the whole history, and batches may be cut anywhere: nothing depends on how far somebody asked.
//
// Everything random comes from one generator in the order of the simulation, and a customer's lasting traits
// from hashes of the seed and the number (population.h), so the same seed gives the same bytes without any of
// it being kept.
namespace kehu::demo {
namespace {

constexpr Duration kMinute = Duration::minutes(1);
constexpr double kShareAtStart = 0.6;

struct ChannelShare {
  Channel channel;
  double visits;  // of all visits of an ordinary day
};
constexpr ChannelShare kChannels[] = {{Channel::kApp, 0.38},
                                      {Channel::kMiniProgram, 0.36},
                                      {Channel::kWeb, 0.14},
                                      {Channel::kShop, 0.10},
                                      {Channel::kService, 0.02}};

// Order numbers carry the time, as real ones do: a run that goes on with other traffic does not repeat them.
constexpr Instant kFirstOrder = Instant::from_seconds(1'577'836'800);  // 2020-01-01
constexpr uint64_t kOrdersPerMinute = 10'000'000;

uint64_t run_of(const RetailerOptions& options) {
  const auto start = static_cast<uint64_t>(options.start.micros());
  return mix(mix(options.seed) ^ mix(start) ^ options.customers ^
             uint64_t{static_cast<uint32_t>(options.days)} << 32);
}

uint8_t bit(Channel channel) { return static_cast<uint8_t>(1u << static_cast<unsigned>(channel)); }

}  // namespace

Retailer::Retailer(const RetailerOptions& options)
    : options_(options),
      catalog_(options.seed),
      population_(options.seed),
      text_(run_of(options), catalog_, population_),
      random_(options.seed),
      now_(options.start),
      minute_(options.start),
      memories_(options.customers) {
  KEHU_CHECK(options.customers > 0 && options.days > 0);
  KEHU_CHECK(options.start.micros() % kMinute.micros() == 0 && options.start >= kFirstOrder);
}

size_t Retailer::next_batch(const Limit& limit, std::string& body) {
  body.assign("{\"batch\":[");
  size_t count = 0;
  while (count < limit.events && body.size() < limit.bytes) {
    while (minute_ < limit.until && (due_.empty() || due_.front().at >= minute_)) begin_minute();
    if (due_.empty() || due_.front().at >= limit.until) {
      now_ = std::max(now_, limit.until);
      break;
    }
    const Due due = due_.front();
    std::pop_heap(due_.begin(), due_.end(), std::greater<>());
    due_.pop_back();
    now_ = due.at;
    if (count++ > 0) body.push_back(',');
    emit(due.slot, due.at, body);
  }
  body.append("]}");
  return count;
}

void Retailer::skip_to(Instant until) {
  std::string scratch;
  while (next_batch({.until = until, .events = 2000}, scratch) > 0) {
  }
}

void Retailer::begin_minute() {
  const int64_t day = china_day(minute_);
  if (day != today_number_) today_ = day_shape(today_number_ = day);
  const int hour = china_hour(minute_);
  const double visits_per_day =
      options_.visits_per_customer_day * customers_so_far() * live_traffic_.value_or(1);
  for (const ChannelShare& share : kChannels) {
    const double busy = share.channel == Channel::kShop ? today_.shop : today_.online;
    const double of_day = live_traffic_ ? 1.0 / 24 : hour_share(share.channel, hour);
    begin_visits(share.channel, visits_per_day * share.visits * busy * of_day / 60);
  }
  minute_ = minute_ + kMinute;
}

void Retailer::begin_visits(Channel channel, double mean) {
  for (uint32_t left = random_.poisson(mean); left > 0; --left) begin_visit(channel);
}

void Retailer::begin_visit(Channel channel) {
  Visit visit;
  visit.channel = channel;
  if (!choose_visitor(channel, visit)) return;
  equip(visit);
  const uint32_t slot = take_slot();
  visits_[slot] = visit;
  schedule(slot, minute_ + random_.between(Duration(), kMinute) + visit.lag);
}

bool Retailer::choose_visitor(Channel channel, Visit& visit) {
  // A bounded search: with very few customers nobody may use this channel.
  for (int attempt = 0; attempt < 64; ++attempt) {
    const Person person = population_.person(random_.below(customers_so_far()));
    if (!person.uses(channel) || !random_.chance(person.activity)) continue;
    Memory& memory = memories_[person.index];
    if (channel == Channel::kService && memory.orders == 0) continue;
    visit.customer = person.index;
    visit.device_owner = person.device_owner;
    visit.ios = person.ios;
    visit.joins = person.joins;
    visit.city = person.city;
    visit.favourite_category = person.favourite_category;
    visit.newcomer = !memory.member;
    visit.known = (memory.logged_in & bit(channel)) != 0;
    return true;
  }
  return false;
}

void Retailer::equip(Visit& visit) {
  const Memory& memory = memories_[visit.customer];
  const bool online = visit.channel != Channel::kShop && visit.channel != Channel::kService;
  visit.campaign = online && random_.chance(0.45) ? today_.campaign : nullptr;
  visit.discount_share = today_.discount;
  const auto minutes = static_cast<uint64_t>((minute_ - kFirstOrder).micros() / kMinute.micros());
  visit.order_no = minutes * kOrdersPerMinute + visit_number_++ % kOrdersPerMinute;
  if (online) {
    const double eagerness =
        0.16 + (memory.open_cart ? 0.15 : 0) + (memory.orders > 0 ? 0.05 : 0) + today_.discount * 0.5;
    visit.will_buy = random_.chance(eagerness);
    visit.views_left = static_cast<uint8_t>(1 + random_.poisson(2.6));
    const bool offline = visit.channel == Channel::kApp && random_.chance(options_.late);
    if (offline)
      visit.lag =
          random_.between(Duration::hours(1), random_.chance(0.2) ? Duration::days(3) : Duration::hours(10));
  } else if (visit.channel == Channel::kShop) {
    visit.store = catalog_.pick_store(visit.city, random_);
    visit.will_buy = random_.chance(0.42);
    visit.views_left = static_cast<uint8_t>(random_.below(3) + (visit.will_buy ? 1 : 0));
    visit.known = memory.member && random_.chance(0.8);
  } else {
    visit.known = true;
    visit.step = Step::kTicketOpened;
    visit.topic = static_cast<uint8_t>(random_.below(6));
  }
}

void Retailer::emit(uint32_t slot, Instant at, std::string& out) {
  Visit& visit = visits_[slot];
  if (visit.step == Step::kAgain) {
    out.append(parked_[visit.parked]);
    free_parked_.push_back(visit.parked);
    free_slots_.push_back(slot);
    return;
  }
  const EventText::Moment moment{at - visit.lag, random_.next()};
  const size_t begin = out.size();
  if (random_.chance(options_.broken)) {
    text_.append_broken(visit, moment, static_cast<Fault>(random_.below(kFaultCount)), out);
  } else {
    text_.append(visit, moment, out);
  }
  const bool repeats = random_.chance(options_.repeated);
  const Pause pause = advance(visit, memories_[visit.customer], catalog_, random_);
  if (visit.step == Step::kLeave) {
    free_slots_.push_back(slot);
  } else {
    schedule(slot, at + random_.between(pause.low, pause.high));
  }
  if (repeats)
    park_copy(std::string_view(out).substr(begin),
              at + random_.between(Duration::seconds(1), Duration::minutes(5)));
}

void Retailer::park_copy(std::string_view event, Instant at) {
  if (free_parked_.empty()) {
    free_parked_.push_back(static_cast<uint32_t>(parked_.size()));
    parked_.emplace_back();
  }
  Visit again;
  again.step = Step::kAgain;
  again.parked = free_parked_.back();
  free_parked_.pop_back();
  parked_[again.parked].assign(event);
  const uint32_t slot = take_slot();
  visits_[slot] = again;
  schedule(slot, at);
}

uint32_t Retailer::take_slot() {
  if (free_slots_.empty()) {
    visits_.emplace_back();
    return static_cast<uint32_t>(visits_.size() - 1);
  }
  const uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  return slot;
}

void Retailer::schedule(uint32_t slot, Instant at) {
  due_.push_back({at, slot});
  std::push_heap(due_.begin(), due_.end(), std::greater<>());
}

uint32_t Retailer::customers_so_far() const {
  const double elapsed = static_cast<double>((minute_ - options_.start).micros());
  const double share = std::min(1.0, elapsed / static_cast<double>(Duration::days(options_.days).micros()));
  const double count = options_.customers * (kShareAtStart + (1 - kShareAtStart) * share);
  return std::max(1u, static_cast<uint32_t>(count));
}

}  // namespace kehu::demo
