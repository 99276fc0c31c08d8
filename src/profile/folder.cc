#include "profile/folder.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>
#include <vector>

#include "aggregate/counters.h"
#include "aggregate/metrics.h"
#include "aggregate/properties.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/text.h"
#include "model/trait_operator.h"
#include "order/order_fields.h"
#include "order/orders.h"
#include "profile/recent.h"
#include "profile/sections.h"
#include "profile/seen.h"
#include "profile/trait_steps.h"
#include "profile/traits.h"

namespace kehu::profile {
namespace {

absl::Status damaged(std::string_view section) {
  return failure(absl::StatusCode::kDataLoss, "the stored state of a customer is damaged (", section,
                 "): run kehu check; a copy of the data directory or a replay of the log restores it");
}

// A key without escapes is a view into the event and lives as long as it does. One with escapes is a view
// into the scratch of its reader, which the next key overwrites, and has to be kept in the pool.
bool lies_in(std::string_view piece, std::string_view whole) {
  const std::less<const char*> less;
  return !less(piece.data(), whole.data()) && !less(whole.data() + whole.size(), piece.data() + piece.size());
}

}  // namespace

// Sections are folded from bytes to bytes: each fold reads the view of its section, writes the new bytes
// to a buffer of its own and lets the view point there. Sections that the event does not touch keep their
// views into the old part, and join() copies them as they are. There are no objects per customer, so ten
// million customers cost their bytes only (docs/decisions/profile.md). All buffers are kept from one event
// to the next.
struct Folder::Scratch {
  Sections sections;
  Sections second_sections;
  std::array<aggregate::WireBuffer, kSectionCount> buffers;
  std::array<aggregate::WireBuffer, 2> metric_buffers;
  aggregate::WireBuffer head;

  Seen seen, second_seen;
  Traits traits, second_traits;
  TraitSteps steps, second_steps;
  aggregate::CounterSection counters;
  aggregate::MetricSection metrics;
  Recent recent, second_recent;
  order::OrderReader order_reader;
  order::OrderSection orders;
  uint64_t amounts_unread = 0;

  aggregate::TextPool pool;
  std::vector<MetName> new_names;
  std::vector<json::RawValue> values;

  aggregate::WireBuffer& buffer(SectionId id) {
    aggregate::WireBuffer& buffer = buffers[static_cast<size_t>(id)];
    buffer.clear();
    return buffer;
  }
  void met(NameId id, std::string_view text) {
    if (!text.empty()) new_names.push_back({id, text});
  }

  bool fold_seen(const Event& event);
  bool fold_traits(const Event& event);
  void set_trait(const json::Field& field, const Event& event, const Stamp& stamp);
  void take_operator(TraitOperator trait_operator, const json::RawValue& operand, const Event& event,
                     const Stamp& stamp);
  void add_step(const json::Field& field, TraitStep::Kind kind, const Event& event, const Stamp& stamp);
  std::string_view kept_key(const json::Field& field, const Event& event) {
    return lies_in(field.key, event.traits) ? field.key : pool.keep(field.key);
  }
  bool fold_counter(const Event& event, NameId key, CivilDay day);
  bool fold_recent(const Event& event, NameId key);
  bool fold_metrics(const Plan::Rules& rules, const property::EventFields& fields, CivilDay day);
  bool fold_order(const order::OrderWords& words, const Event& event, const property::EventFields& fields);
  void collect(const Plan::MetricRule& rule, const property::EventFields& fields);
};

bool Folder::Scratch::fold_seen(const Event& event) {
  std::string_view& section = sections[SectionId::kSeen];
  if (!seen.read(section)) return false;
  if (seen.add(event.channel, event.time)) met(channel_key(event.channel), event.channel.text);
  aggregate::WireBuffer& out = buffer(SectionId::kSeen);
  seen.write(out);
  section = out.view();
  return true;
}

bool Folder::Scratch::fold_traits(const Event& event) {
  std::string_view& section = sections[SectionId::kTraits];
  std::string_view& steps_section = sections[SectionId::kTraitSteps];
  if (!traits.read(section) || !steps.read(steps_section)) return false;
  const Stamp stamp{event.time, event.source};
  json::FieldReader fields(event.traits);
  for (json::Field field; fields.next(field);) {
    const TraitOperator named = trait_operator(field.key);
    if (named == TraitOperator::kNone) {
      set_trait(field, event, stamp);
    } else {
      take_operator(named, field.value, event, stamp);
    }
  }
  traits.trim();
  steps.settle(traits, pool);
  aggregate::WireBuffer& out = buffer(SectionId::kTraits);
  traits.write(out);
  section = out.view();
  aggregate::WireBuffer& steps_out = buffer(SectionId::kTraitSteps);
  steps.write(steps_out);
  steps_section = steps_out.view();
  return true;
}

void Folder::Scratch::set_trait(const json::Field& field, const Event& event, const Stamp& stamp) {
  const bool null = field.value.is_null();
  if (!null && field.value.raw.size() > limits::kTraitBytes) return traits.count_too_long();
  const NameId name = name_id(field.key);
  const bool is_new = traits.set({name, null ? std::string_view() : field.value.raw, stamp});
  if (is_new) met(name, kept_key(field, event));
}

// The door has checked the operands (intake::check_trait_operands). Events that were written before it did
// are in the log for ever, and every replay has to read them alike: so what does not fit is passed over
// and never an error.
void Folder::Scratch::take_operator(TraitOperator named, const json::RawValue& operand, const Event& event,
                                    const Stamp& stamp) {
  if (named == TraitOperator::kClear) {
    if (operand.raw == "true") steps.clear(stamp);
    return;
  }
  if (operand.raw.starts_with('[') && named != TraitOperator::kUnset) return;
  json::FieldReader fields(operand.raw);
  for (json::Field field; fields.next(field);) {
    switch (named) {
      case TraitOperator::kUnset: {
        const std::string_view name = field.key.empty() ? pool.text_of(field.value) : field.key;
        traits.set({name_id(name), {}, stamp});
        break;
      }
      case TraitOperator::kSetOnce:
        add_step(field, TraitStep::Kind::kOnce, event, stamp);
        break;
      case TraitOperator::kAdd:
        add_step(field, TraitStep::Kind::kAdd, event, stamp);
        break;
      default:
        add_step(field, TraitStep::Kind::kAppend, event, stamp);
    }
  }
}

void Folder::Scratch::add_step(const json::Field& field, TraitStep::Kind kind, const Event& event,
                               const Stamp& stamp) {
  if (field.value.is_null()) return;
  if (field.value.raw.size() > limits::kTraitBytes) return traits.count_too_long();
  TraitStep step;
  step.name = name_id(field.key);
  step.stamp = stamp;
  step.kind = kind;
  if (kind == TraitStep::Kind::kAdd) {
    const auto amount = Decimal::parse(field.value.raw);
    if (!amount) return;
    step.amount = amount->units();
  } else if (kind == TraitStep::Kind::kAppend && !field.value.raw.starts_with('[')) {
    step.operand = pool.keep(cat("[", field.value.raw, "]"));
  } else {
    step.operand = field.value.raw;
  }
  if (steps.add(step)) met(step.name, kept_key(field, event));
}

bool Folder::Scratch::fold_counter(const Event& event, NameId key, CivilDay day) {
  std::string_view& section = sections[SectionId::kCounters];
  aggregate::WireBuffer& out = buffer(SectionId::kCounters);
  if (!counters.fold(section, key, event.time, day, out)) return false;
  section = out.view();
  if (counters.added() && event.type == EventType::kTrack) met(key, event.name);
  return true;
}

// Most events are newer than all others of the customer and of a kind that is there; prepend() then writes
// the new list around the old bytes. Only otherwise is the list decoded. A name is reported once, so what
// the counters have reported already is not reported here.
bool Folder::Scratch::fold_recent(const Event& event, NameId key) {
  std::string_view& section = sections[SectionId::kRecent];
  RecentEvent added{event.time,
                    {.name = NameId(0),
                     .type = event.type,
                     .channel = event.channel.channel,
                     .other_channel = channel_key(event.channel),
                     .source = event.source}};
  if (!event.name.empty()) added.kind.name = event.type == EventType::kTrack ? key : event.name_id();
  aggregate::WireBuffer& out = buffer(SectionId::kRecent);
  if (!Recent::prepend(section, added, out)) {
    if (!recent.read(section)) return false;
    const bool reported = event.type == EventType::kTrack && counters.added();
    if (recent.add(added).kind) {
      if (!reported) met(added.kind.name, event.name);
      met(added.kind.other_channel, event.channel.text);
    }
    recent.write(out);
  }
  section = out.view();
  return true;
}

bool Folder::Scratch::fold_metrics(const Plan::Rules& rules, const property::EventFields& fields,
                                   CivilDay day) {
  std::string_view& section = sections[SectionId::kMetrics];
  size_t turn = 0;
  for (const Plan::MetricRule& rule : rules.metrics) {
    collect(rule, fields);
    if (values.empty()) continue;
    // It must not be the buffer that holds the section, so the two take turns.
    aggregate::WireBuffer& out = metric_buffers[turn];
    turn = 1 - turn;
    out.clear();
    if (!metrics.fold(section, {rule.id, rule.kind, values, day}, pool, out)) return false;
    section = out.view();
  }
  return true;
}

// The slots of a rule are the candidates for its property, and the first that has a value counts, of a sum
// the first that has a number: the values of two spellings of one property must not be added up. Where none
// can be read, those of the first are counted as unread.
void Folder::Scratch::collect(const Plan::MetricRule& rule, const property::EventFields& fields) {
  values.clear();
  size_t unread = 0;
  for (const property::Slot slot : rule.slots) {
    for (const property::FieldValue& value : fields.values(slot)) {
      if (!value.raw().is_null()) values.push_back(value.raw());
    }
    if (values.size() == unread) continue;
    const auto reads = [&](const json::RawValue& value) {
      return aggregate::number_of(value, pool).has_value();
    };
    const bool found = rule.kind != Metric::Kind::kSum || rule.slots.size() == 1 ||
                       std::any_of(values.begin() + static_cast<std::ptrdiff_t>(unread), values.end(), reads);
    if (found) {
      values.erase(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(unread));
      return;
    }
    if (unread == 0) unread = values.size();
    values.resize(unread);
  }
}

bool Folder::Scratch::fold_order(const order::OrderWords& words, const Event& event,
                                 const property::EventFields& fields) {
  const order::OrderEvent order{words.step(), event.time, order_reader.read(words, fields, pool)};
  if (words.only_with_id() && order.fields.id.empty()) return true;
  amounts_unread += order.fields.amount_unread || order.fields.currency_unread ? 1 : 0;
  std::string_view& section = sections[SectionId::kOrders];
  aggregate::WireBuffer& out = buffer(SectionId::kOrders);
  if (!orders.fold(section, order, out)) return false;
  section = out.view();
  return true;
}

Folder::Folder() : scratch_(std::make_unique<Scratch>()) {}
Folder::~Folder() = default;

absl::Span<const MetName> Folder::new_names() const { return scratch_->new_names; }
uint64_t Folder::amounts_unread() const { return scratch_->amounts_unread; }

// A fold is a merge with the part of one event. Each section is a commutative monoid (sums, minima and
// maxima, the newest by time and tie, the smallest k by hash), so neither the order in which events arrive
// nor the way in which they are divided among parts changes the bytes. On a typical part of 578 bytes a
// page view takes 460 ns: copying the part is a twentieth of that, and the first touch of cold bytes a
// fifth, so the copy is not worth avoiding (docs/decisions/profile.md).
absl::Status Folder::fold(const Plan& plan, std::string_view part, const Event& event,
                          const property::EventFields& fields, std::string& out) {
  Scratch& s = *scratch_;
  s.new_names.clear();
  s.pool.clear();
  if (!s.sections.split(part)) return damaged("frame");
  const NameId key = counter_key(event);
  const CivilDay day = plan.zone().day_of(event.time);
  if (!s.fold_seen(event)) return damaged("channels");
  if (!s.fold_counter(event, key, day)) return damaged("counters");
  if (!s.fold_recent(event, key)) return damaged("recent events");
  // The traits of a group call describe the group and not the customer.
  const bool has_traits = event.type != EventType::kGroup && event.traits.size() > 2;
  if (has_traits && !s.fold_traits(event)) return damaged("traits");
  if (const Plan::Rules* rules = plan.rules(key, event.source)) {
    if (!rules->metrics.empty() && !s.fold_metrics(*rules, fields, day)) return damaged("metrics");
    if (rules->order != nullptr && !s.fold_order(*rules->order, event, fields)) return damaged("orders");
  }
  s.sections.join(s.head, out);
  return absl::OkStatus();
}

// Steps of traits are settled behind the merge of the traits, since a newer value of either side
// supersedes steps of the other. Whatever was left out of one side for a bound had larger hashes than all
// that was kept, so merging bounded parts gives what folding all events at once would have given
// (docs/decisions/parts.md).
absl::Status Folder::merge(std::string_view a, std::string_view b, std::string& out) {
  Scratch& s = *scratch_;
  s.pool.clear();
  Sections& x = s.sections;
  Sections& y = s.second_sections;
  if (!x.split(a) || !y.split(b)) return damaged("frame");
  for (aggregate::WireBuffer& buffer : s.buffers) buffer.clear();
  const auto buffer = [&s](SectionId id) -> aggregate::WireBuffer& {
    return s.buffers[static_cast<size_t>(id)];
  };

  if (!s.seen.read(x[SectionId::kSeen]) || !s.second_seen.read(y[SectionId::kSeen]))
    return damaged("channels");
  s.seen.merge(s.second_seen);
  s.seen.write(buffer(SectionId::kSeen));

  if (!s.traits.read(x[SectionId::kTraits]) || !s.second_traits.read(y[SectionId::kTraits]))
    return damaged("traits");
  if (!s.steps.read(x[SectionId::kTraitSteps]) || !s.second_steps.read(y[SectionId::kTraitSteps]))
    return damaged("steps of traits");
  s.traits.merge(s.second_traits);
  s.steps.merge(s.second_steps);
  s.steps.settle(s.traits, s.pool);
  s.traits.write(buffer(SectionId::kTraits));
  s.steps.write(buffer(SectionId::kTraitSteps));

  if (!s.recent.read(x[SectionId::kRecent]) || !s.second_recent.read(y[SectionId::kRecent])) {
    return damaged("recent events");
  }
  s.recent.merge(s.second_recent);
  s.recent.write(buffer(SectionId::kRecent));

  const auto lists = [&](SectionId id) { return std::pair(x[id], y[id]); };
  const auto [counters_x, counters_y] = lists(SectionId::kCounters);
  if (!s.counters.merge(counters_x, counters_y, buffer(SectionId::kCounters))) return damaged("counters");
  const auto [metrics_x, metrics_y] = lists(SectionId::kMetrics);
  if (!s.metrics.merge(metrics_x, metrics_y, buffer(SectionId::kMetrics))) return damaged("metrics");
  const auto [orders_x, orders_y] = lists(SectionId::kOrders);
  if (!s.orders.merge(orders_x, orders_y, buffer(SectionId::kOrders))) return damaged("orders");

  Sections merged;
  for (size_t i = 0; i < kSectionCount; ++i) merged[static_cast<SectionId>(i)] = s.buffers[i].view();
  merged.join(s.head, out);
  return absl::OkStatus();
}

uint64_t digest(std::string_view part) { return hash64(part); }

// Each state has exactly one text, so a merge with nothing has to give the same bytes again. That finds
// what no reader of a single section can see, such as a ring that keeps a bucket which it should have
// dropped.
absl::Status validate(std::string_view part) {
  Folder folder;
  std::string again;
  if (const absl::Status status = folder.merge(part, std::string_view(), again); !status.ok()) return status;
  return again == part ? absl::OkStatus() : damaged("not in canonical form");
}

}  // namespace kehu::profile
