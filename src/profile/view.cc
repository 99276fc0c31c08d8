#include "profile/view.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "aggregate/counters.h"
#include "aggregate/metrics.h"
#include "base/text.h"
#include "order/orders.h"
#include "order/revenue.h"
#include "profile/folder.h"
#include "profile/plan.h"
#include "profile/recent.h"
#include "profile/sections.h"
#include "profile/seen.h"
#include "profile/trait_steps.h"

namespace kehu::profile {
namespace {

constexpr int64_t kMinutesOfHour = 60;
constexpr int64_t kHoursOfDay = 24;

template <class T>
Windows<T> windows(const aggregate::Ring<T>& days, CivilDay today) {
  const auto last = [&](int64_t count) { return days.window(today.value(), count); };
  return {.today = last(1),
          .last_7d = last(7),
          .last_30d = last(30),
          .last_90d = last(90),
          .last_365d = last(365)};
}

// Reads a merged part into what a person sees. Counters hold buckets of time and no windows, so "the last
// 7 days" is worked out here, at the moment of the question; a customer without events needs no rewriting
// as days pass.
class Viewer {
 public:
  Viewer(const Settings& settings, Instant now, NameLookup name_of)
      : settings_(settings), now_(now), today_(settings.zone.day_of(now)), name_of_(name_of) {}

  // Returns false on damage.
  bool read(std::string_view part) {
    Sections sections;
    return sections.split(part) && read_seen(sections[SectionId::kSeen]) && read_traits(sections) &&
           read_counters(sections[SectionId::kCounters]) && read_metrics(sections[SectionId::kMetrics]) &&
           read_recent(sections[SectionId::kRecent]) && read_orders(sections[SectionId::kOrders]);
  }
  ProfileView take() { return std::move(view_); }

 private:
  std::string name(NameId id) const {
    const std::string_view known = name_of_(id);
    return known.empty() ? "#" + Hash128{0, id.value()}.hex().substr(20) : std::string(known);
  }

  bool read_seen(std::string_view section);
  bool read_traits(const Sections& sections);
  void show_trait(NameId id, std::optional<TraitValue> value);
  bool read_counters(std::string_view section);
  bool read_metrics(std::string_view section);
  bool read_recent(std::string_view section);
  bool read_orders(std::string_view section);
  CounterView counter(NameId id, const aggregate::Counter& counter) const;
  MetricView metric(const Metric& declared, const aggregate::MetricState& state) const;

  const Settings& settings_;
  Instant now_;
  CivilDay today_;
  NameLookup name_of_;
  ProfileView view_;
};

bool Viewer::read_seen(std::string_view section) {
  Seen seen;
  if (!seen.read(section)) return false;
  view_.events = seen.events;
  const auto show = [this](std::string channel, const Seen::Period& period) {
    const bool first = view_.channels.empty();
    view_.first_seen = first ? period.first : std::min(view_.first_seen, period.first);
    view_.last_seen = first ? period.last : std::max(view_.last_seen, period.last);
    view_.channels.push_back({std::move(channel), period.first, period.last});
  };
  for (size_t i = 0; i < seen.channels.size(); ++i) {
    if (seen.channels[i]) show(std::string(to_string(static_cast<Channel>(i))), *seen.channels[i]);
  }
  for (const Seen::Other& other : seen.others) show(name(NameId(other.key)), other.period);
  if (seen.beyond) show("(other)", *seen.beyond);
  return true;
}

void Viewer::show_trait(NameId id, std::optional<TraitValue> value) {
  if (!value) return;
  view_.traits.push_back({name(id), std::move(value->text), value->stamp.time, value->stamp.source});
}

// A trait can have a value, steps, or both. Those with a value come first, then those that have steps
// alone; steps are sorted by name, so each such name is met once in a run.
bool Viewer::read_traits(const Sections& sections) {
  Traits traits;
  TraitSteps steps;
  if (!traits.read(sections[SectionId::kTraits]) || !steps.read(sections[SectionId::kTraitSteps]))
    return false;
  view_.traits_too_long = traits.too_long();
  view_.traits_left_out = traits.left_out();
  for (const Trait& trait : traits.values()) {
    show_trait(trait.name, value_of(&trait, steps.of(trait.name), steps.cleared()));
  }
  std::optional<NameId> before;
  for (const TraitStep& step : steps.steps()) {
    if (before == step.name || traits.find(step.name) != nullptr) continue;
    before = step.name;
    show_trait(step.name, value_of(nullptr, steps.of(step.name), steps.cleared()));
  }
  std::sort(view_.traits.begin(), view_.traits.end(),
            [](const TraitView& a, const TraitView& b) { return a.name < b.name; });
  return true;
}

CounterView Viewer::counter(NameId id, const aggregate::Counter& counter) const {
  CounterView out;
  out.total = counter.total;
  out.first = counter.first;
  out.last = counter.last;
  if (id.value() >= 1 && id.value() <= static_cast<uint64_t>(EventType::kAlias)) {
    out.type = static_cast<EventType>(id.value());
    out.name = std::string(to_string(out.type));
  } else {
    out.name = id == aggregate::kOtherNames ? "(other)" : name(id);
  }
  out.last_hour = counter.minutes.window(aggregate::minute_of(now_), kMinutesOfHour);
  out.last_24h = counter.hours.window(aggregate::hour_of(now_), kHoursOfDay);
  out.days = windows(counter.days, today_);
  return out;
}

bool Viewer::read_counters(std::string_view section) {
  const bool sound = aggregate::read_counters(section, [this](NameId id, const aggregate::Counter& each) {
    view_.counters.push_back(counter(id, each));
  });
  std::sort(view_.counters.begin(), view_.counters.end(), [](const CounterView& a, const CounterView& b) {
    return std::tie(b.total, a.name, a.type) < std::tie(a.total, b.name, b.type);
  });
  return sound;
}

MetricView Viewer::metric(const Metric& declared, const aggregate::MetricState& state) const {
  MetricView out;
  out.kind = declared.kind;
  out.event = declared.event;
  out.property = declared.property;
  const auto distinct = [&out](bool beyond, size_t kept, uint64_t largest) {
    out.exact = !beyond;
    out.distinct = beyond ? aggregate::estimate_distinct(kept, largest) : kept;
  };
  switch (declared.kind) {
    case Metric::Kind::kSum:
      out.count = state.sum.count;
      out.unread = state.sum.unread;
      if (out.count == 0) break;
      out.sum = state.sum.sum;
      out.min = state.sum.min;
      out.max = state.sum.max;
      out.days = windows(state.sum.days, today_);
      break;
    case Metric::Kind::kDistinct: {
      const auto& hashes = state.distinct.hashes;
      distinct(state.distinct.beyond, hashes.size(), hashes.empty() ? 0 : hashes.back());
      break;
    }
    case Metric::Kind::kTop: {
      const auto& entries = state.top.entries;
      out.count = state.top.count;
      distinct(state.top.beyond, entries.size(), entries.empty() ? 0 : entries.back().hash);
      for (const aggregate::TopMetric::Entry& entry : entries)
        out.top.push_back({std::string(entry.text), entry.count});
      std::sort(out.top.begin(), out.top.end(), [](const TopValue& a, const TopValue& b) {
        return std::tie(b.count, a.value) < std::tie(a.count, b.value);
      });
      break;
    }
  }
  return out;
}

// Metrics are kept under a hash of their kind, event and property. What the settings do not declare any
// more stays in the part and is not shown: declared again, it goes on from where it was.
bool Viewer::read_metrics(std::string_view section) {
  aggregate::EntryReader entries(section);
  std::map<NameId, std::string_view> payloads;
  for (aggregate::Entry entry; entries.next(entry);) payloads[NameId(entry.key)] = entry.payload;
  if (entries.failed()) return false;
  aggregate::MetricState state;
  for (const Metric& declared : settings_.metrics) {
    const auto found = payloads.find(metric_id(declared));
    if (found == payloads.end()) continue;
    if (!state.read(found->second) || state.kind != declared.kind) return false;
    view_.metrics.push_back(metric(declared, state));
    payloads.erase(found);
  }
  return true;
}

bool Viewer::read_recent(std::string_view section) {
  Recent recent;
  if (!recent.read(section)) return false;
  for (size_t i = 0; i < recent.size(); ++i) {
    const auto [time, kind] = recent[i];
    view_.recent.push_back({.time = time,
                            .type = kind.type,
                            .channel = kind.channel == Channel::kOther ? name(kind.other_channel)
                                                                       : std::string(to_string(kind.channel)),
                            .source = kind.source,
                            .name = kind.name.value() == 0 ? std::string() : name(kind.name)});
  }
  return true;
}

bool Viewer::read_orders(std::string_view section) {
  order::OrderBook book;
  if (!book.read(section)) return false;
  for (const order::Order& order : book.orders) view_.orders.push_back(order::order_view(order));
  view_.orders_sampled = book.head.sampled;
  view_.amounts_unread = book.head.unread.amounts;
  view_.currencies_unread = book.head.unread.currencies;
  view_.revenue = order::revenue_of(book);
  std::sort(view_.orders.begin(), view_.orders.end(), [](const OrderView& a, const OrderView& b) {
    return std::tie(b.last, a.id) < std::tie(a.last, b.id);
  });
  return true;
}

}  // namespace

// A profile is the merge of a customer's parts (docs/decisions/parts.md). An event is folded into one of
// them and does not pay for the others; whoever looks merges them, and most customers have one to three.
absl::StatusOr<ProfileView> view(const Settings& settings, absl::Span<const std::string_view> parts,
                                 Instant now, NameLookup name_of) {
  Folder folder;
  std::string merged;
  std::string next;
  for (const std::string_view part : parts) {
    if (const absl::Status status = folder.merge(merged, part, next); !status.ok()) return status;
    merged.swap(next);
  }
  Viewer viewer(settings, now, name_of);
  if (!viewer.read(merged)) {
    return failure(absl::StatusCode::kDataLoss,
                   "the merged state of a customer cannot be read: a bug of Kehu or "
                   "damaged memory; run kehu check");
  }
  return viewer.take();
}

}  // namespace kehu::profile
