#include "membership/members.h"

#include <algorithm>

#include "tally/end_values.h"

// byte 1 when something is due, then instant due; then for each entry, ascending by rule: varint rule less the
// one before, instant since, value (tally/end_values.h).
namespace kehu::membership {

void Members::clear() {
  entries_.clear();
  due_ = kLastInstant;
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

bool Members::read(std::string_view bytes) {
  clear();
  if (bytes.empty()) return true;
  aggregate::WireReader in(bytes);
  if (in.byte() == 1) due_ = in.instant();
  uint32_t rule = 0;
  while (!in.failed() && !in.at_end()) {
    rule += static_cast<uint32_t>(in.varint());
    const Instant since = in.instant();
    entries_.push_back({RuleId(rule), since, tally::read_value(in)});
  }
  return in.complete();
}

void Members::write(std::string& out) const {
  out.clear();
  if (entries_.empty() && due_ == kLastInstant) return;
  aggregate::WireBuffer buffer;
  buffer.byte(due_ == kLastInstant ? 0 : 1);
  if (due_ != kLastInstant) buffer.instant(due_);
  uint32_t rule = 0;
  for (const Entry& entry : entries_) {
    buffer.varint(entry.rule.value() - rule);
    rule = entry.rule.value();
    buffer.instant(entry.since);
    tally::write_value(entry.value, buffer);
  }
  out.assign(buffer.view());
}

}  // namespace kehu::membership
