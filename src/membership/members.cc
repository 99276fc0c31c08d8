#include "membership/members.h"

#include <algorithm>

#include "tally/end_values.h"

// varint number << 1 | 1 when something is due; then varint how many dues, instant of the timer, for each in
// the order of rules varint rule less the one before, duration how much later than the timer; then for each
// entry, ascending by rule: varint rule less the one before, instant since, value (tally/end_values.h).
namespace kehu::membership {

void Members::clear() {
  entries_.clear();
  dues_.clear();
  timer_ = kLastInstant;
  number_ = 0;
}

const Members::Entry* Members::find(RuleId rule) const {
  const auto at = std::ranges::lower_bound(entries_, rule, {}, &Entry::rule);
  return at == entries_.end() || at->rule != rule ? nullptr : &*at;
}

void Members::set(RuleId rule, Instant since, rule::Value value) {
  const auto at = std::ranges::lower_bound(entries_, rule, {}, &Entry::rule);
  const bool found = at != entries_.end() && at->rule == rule;
  if (!value.known()) {
    if (found) entries_.erase(at);
  } else if (found) {
    *at = {rule, since, std::move(value)};
  } else {
    entries_.insert(at, {rule, since, std::move(value)});
  }
}

void Members::set_due(RuleId rule, Instant at) {
  const auto place = std::ranges::lower_bound(dues_, rule, {}, &Due::rule);
  const bool found = place != dues_.end() && place->rule == rule;
  if (at == kLastInstant) {
    if (found) dues_.erase(place);
  } else if (found) {
    place->at = at;
  } else {
    dues_.insert(place, {rule, at});
  }
}

Instant Members::due() const {
  Instant first = kLastInstant;
  for (const Due& due : dues_) first = std::min(first, due.at);
  return first;
}

Instant Members::timer_of(std::string_view bytes) {
  if (bytes.empty()) return kLastInstant;
  aggregate::WireReader in(bytes);
  if ((in.varint() & 1) == 0) return kLastInstant;
  in.varint();
  const Instant timer = in.instant();
  return in.failed() ? kFirstInstant : timer;
}

bool Members::read(std::string_view bytes) {
  clear();
  if (bytes.empty()) return true;
  aggregate::WireReader in(bytes);
  const uint64_t head = in.varint();
  number_ = static_cast<uint32_t>(head >> 1);
  uint32_t rule = 0;
  if (head & 1) {
    const uint64_t count = in.varint();
    timer_ = in.instant();
    for (uint64_t i = 0; i < count && !in.failed(); ++i) {
      rule += static_cast<uint32_t>(in.varint());
      dues_.push_back({RuleId(rule), in.instant_behind(timer_)});
    }
    rule = 0;
  }
  while (!in.failed() && !in.at_end()) {
    rule += static_cast<uint32_t>(in.varint());
    const Instant since = in.instant();
    entries_.push_back({RuleId(rule), since, tally::read_value(in)});
  }
  return in.complete();
}

void Members::write(std::string& out) const {
  out.clear();
  if (entries_.empty() && dues_.empty() && number_ == 0) return;
  aggregate::WireBuffer buffer;
  buffer.varint(uint64_t{number_} << 1 | (dues_.empty() ? 0 : 1));
  uint32_t rule = 0;
  if (!dues_.empty()) {
    const Instant first = std::min(timer_, due());
    buffer.varint(dues_.size());
    buffer.instant(first);
    for (const Due& each : dues_) {
      buffer.varint(each.rule.value() - rule);
      rule = each.rule.value();
      buffer.duration(each.at - first);
    }
    rule = 0;
  }
  for (const Entry& entry : entries_) {
    buffer.varint(entry.rule.value() - rule);
    rule = entry.rule.value();
    buffer.instant(entry.since);
    tally::write_value(entry.value, buffer);
  }
  out.assign(buffer.view());
}

}  // namespace kehu::membership
