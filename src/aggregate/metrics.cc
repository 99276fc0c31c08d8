#include "aggregate/metrics.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "base/hash.h"
#include "base/text.h"

namespace kehu::aggregate {
namespace {

// One value alone is its own sum, minimum and maximum.
constexpr uint8_t kSingle = 0x10;
// With this bit the number of values that were no numbers follows; only a sum has it.
constexpr uint8_t kUnread = 0x20;
constexpr int64_t kMaxDay = 1'000'000;

uint64_t hash_of(std::string_view text) { return hash64(text) & kKeyMask; }

std::string_view cut(std::string_view text) { return cut_utf8(text, kTopValueBytes); }

bool before(const TopMetric::Entry& a, const TopMetric::Entry& b) {
  return std::tie(a.hash, a.text) < std::tie(b.hash, b.text);
}

}  // namespace

// The estimator of k minimum values (Bar-Yossef et al. 2002): hashes are uniform, so when the k-th
// smallest of them is at a share u of the space, there are about (k - 1) / u different values. It is the
// k-th and not the number below it that is known exactly, hence k - 1.
uint64_t estimate_distinct(uint64_t kept, uint64_t largest_kept_hash) {
  const double space = static_cast<double>(kKeyMask) + 1;
  return static_cast<uint64_t>(
      std::llround(static_cast<double>(kept - 1) * space / (static_cast<double>(largest_kept_hash) + 1)));
}

void SumMetric::add(Decimal value, CivilDay day) {
  const int64_t units = value.units();
  min = count == 0 ? units : std::min(min, units);
  max = count == 0 ? units : std::max(max, units);
  if (count == 0) {
    days.start(day.value(), units);
  } else {
    days.add(day.value(), units, kDayRing);
  }
  ++count;
  sum = wrapping_add(sum, units);
}

void SumMetric::merge(const SumMetric& other) {
  unread += other.unread;
  if (other.count == 0) return;
  if (count == 0) {
    const uint64_t all_unread = unread;
    *this = other;
    unread = all_unread;
    return;
  }
  count += other.count;
  sum = wrapping_add(sum, other.sum);
  min = std::min(min, other.min);
  max = std::max(max, other.max);
  days.merge(other.days, kDayRing);
}

void SumMetric::write(WireBuffer& out) const {
  if (unread > 0) out.varint(unread);
  if (count == 0) return;
  out.zigzag(days.newest());
  out.wide(sum);
  if (count == 1) return;
  out.varint(count);
  out.zigzag(min);
  out.zigzag(max);
  days.write(out);
}

// `count` and `unread` come in as what the tag says of them: 1 means one value alone, and anything
// written, in this order. A single value is its own sum, minimum and maximum, and is written once.
void SumMetric::read(WireReader& in) {
  if (unread > 0) {
    unread = in.varint();
    if (unread == 0) in.fail();
    sum = 0;
    if (in.at_end() && count == 0) return;
  }
  const bool single = count == 1;
  const int64_t day = in.zigzag();
  if (day > kMaxDay || day < -kMaxDay) in.fail();
  sum = in.wide();
  if (single) {
    min = max = static_cast<int64_t>(sum);
    if (min != sum) in.fail();
    days.start(day, sum);
    return;
  }
  count = in.varint();
  min = in.zigzag();
  max = in.zigzag();
  days.read(day, kDayRing, in);
}

// Keeps the smallest hashes. The largest kept one only ever falls, so a hash that was pushed out can never
// come back, and the same values leave the same bytes in any order.
void DistinctMetric::add(uint64_t hash) {
  const auto at = std::lower_bound(hashes.begin(), hashes.end(), hash);
  if (at != hashes.end() && *at == hash) return;
  if (hashes.size() == kSampledValues) {
    beyond = true;
    if (at == hashes.end()) return;
    std::copy_backward(at, hashes.end() - 1, hashes.end());
    *at = hash;
  } else {
    hashes.insert(at, hash);
  }
}

void DistinctMetric::merge(const DistinctMetric& other) {
  beyond = beyond || other.beyond;
  for (const uint64_t hash : other.hashes) add(hash);
}

void DistinctMetric::write(WireBuffer& out) const {
  out.byte(static_cast<uint8_t>(hashes.size() << 1 | (beyond ? 1 : 0)));
  for (const uint64_t hash : hashes) out.key(hash);
}

void DistinctMetric::read(WireReader& in) {
  const uint8_t size = in.byte();
  beyond = (size & 1) != 0;
  hashes.clear();
  if (size >> 1 > kSampledValues) in.fail();
  for (int i = 0; i < size >> 1 && !in.failed(); ++i) {
    const uint64_t hash = in.key();
    if (!hashes.empty() && hash <= hashes.back()) in.fail();
    hashes.push_back(hash);
  }
}

void TopMetric::add(std::string_view text) {
  const std::string_view kept = cut(text);
  ++count;
  add(Entry{hash_of(kept), kept, 1});
}

// A value that is kept has been counted from its first event on, because a value pushed out never comes
// back. So its count is exact, and the values kept are a uniform sample of all: a frequent value may be
// missing, but none that is shown is wrong. Keeping the most frequent ones instead would depend on the
// order of events.
void TopMetric::add(const Entry& entry) {
  const auto at = std::lower_bound(entries.begin(), entries.end(), entry, before);
  if (at != entries.end() && at->hash == entry.hash && at->text == entry.text) {
    at->count += entry.count;
    return;
  }
  entries.insert(at, entry);
  if (entries.size() > kSampledValues) {
    entries.pop_back();
    beyond = true;
  }
}

void TopMetric::merge(const TopMetric& other) {
  beyond = beyond || other.beyond;
  count += other.count;
  for (const Entry& entry : other.entries) add(entry);
}

void TopMetric::write(WireBuffer& out) const {
  out.byte(static_cast<uint8_t>(entries.size() << 1 | (beyond ? 1 : 0)));
  out.varint(count);
  for (const Entry& entry : entries) {
    out.text(entry.text);
    out.varint(entry.count);
  }
}

void TopMetric::read(WireReader& in) {
  const uint8_t size = in.byte();
  beyond = (size & 1) != 0;
  count = in.varint();
  entries.clear();
  if (size >> 1 > kSampledValues) in.fail();
  for (int i = 0; i < size >> 1 && !in.failed(); ++i) {
    const std::string_view text = in.text();
    const Entry entry{hash_of(text), text, in.varint()};
    if (text.size() > kTopValueBytes || (!entries.empty() && !before(entries.back(), entry))) in.fail();
    entries.push_back(entry);
  }
}

void MetricState::start(Metric::Kind of_kind) {
  kind = of_kind;
  sum.count = sum.unread = 0;
  sum.sum = 0;
  distinct.beyond = top.beyond = false;
  distinct.hashes.clear();
  top.count = 0;
  top.entries.clear();
}

// A blank text is no value, and a text that is no number is counted as unread: the sum is then known to
// lack something, instead of looking complete.
bool MetricState::add(const json::RawValue& value, CivilDay day, TextPool& pool) {
  if (kind == Metric::Kind::kSum) {
    const auto number = number_of(value, pool);
    if (number) {
      sum.add(*number, day);
      return true;
    }
    const bool blank =
        value.is_string() && pool.text_of(value).find_first_not_of(" \t\r\n") == std::string_view::npos;
    if (value.is_null() || blank) return false;
    ++sum.unread;
    return true;
  }
  const std::string_view text = pool.text_of(value);
  if (text.empty()) return false;
  if (kind == Metric::Kind::kDistinct) {
    distinct.add(hash_of(text));
  } else {
    top.add(text);
  }
  return true;
}

bool MetricState::merge(const MetricState& other) {
  if (kind != other.kind) return false;
  switch (kind) {
    case Metric::Kind::kSum:
      sum.merge(other.sum);
      break;
    case Metric::Kind::kDistinct:
      distinct.merge(other.distinct);
      break;
    case Metric::Kind::kTop:
      top.merge(other.top);
      break;
  }
  return true;
}

void MetricState::write(WireBuffer& out) const {
  const bool is_sum = kind == Metric::Kind::kSum;
  const bool single = is_sum && sum.count == 1;
  const bool unread = is_sum && sum.unread > 0;
  out.byte(
      static_cast<uint8_t>(static_cast<uint8_t>(kind) | (single ? kSingle : 0) | (unread ? kUnread : 0)));
  switch (kind) {
    case Metric::Kind::kSum:
      sum.write(out);
      break;
    case Metric::Kind::kDistinct:
      distinct.write(out);
      break;
    case Metric::Kind::kTop:
      top.write(out);
      break;
  }
}

bool MetricState::read(std::string_view payload) {
  WireReader in(payload);
  const uint8_t tag = in.byte();
  const bool single = (tag & kSingle) != 0;
  const bool unread = (tag & kUnread) != 0;
  kind = static_cast<Metric::Kind>(tag & ~(kSingle | kUnread));
  if ((single || unread) && kind != Metric::Kind::kSum) return false;
  switch (kind) {
    case Metric::Kind::kSum:
      sum.count = single ? 1 : 0;
      sum.unread = unread ? 1 : 0;
      sum.read(in);
      break;
    case Metric::Kind::kDistinct:
      distinct.read(in);
      break;
    case Metric::Kind::kTop:
      top.read(in);
      break;
    default:
      return false;
  }
  return in.complete();
}

// When no value counts, the section goes out as it came in: a metric without values has no entry, or two
// parts that say the same would differ in bytes.
bool MetricSection::fold(std::string_view section, const Addition& addition, TextPool& pool,
                         WireBuffer& out) {
  Slot slot;
  if (!locate(section, addition.metric.value(), slot)) return false;
  if (slot.found) {
    if (!state_.read(slot.payload) || state_.kind != addition.kind) return false;
  } else {
    state_.start(addition.kind);
  }
  bool any = false;
  for (const json::RawValue& value : addition.values) any = state_.add(value, addition.day, pool) || any;
  if (!any) {
    out.raw(section);
    return true;
  }
  payload_.clear();
  state_.write(payload_);
  put_list(slot, addition.metric.value(), payload_.view(), out);
  return true;
}

bool MetricSection::merge(std::string_view a, std::string_view b, WireBuffer& out) {
  uint64_t count = 0;
  body_.clear();
  const bool sound = merge_entries(a, b, [&](uint64_t key, std::string_view x, std::string_view y) {
    ++count;
    if (!state_.read(x.empty() ? y : x)) return false;
    if (!x.empty() && !y.empty() && (!second_.read(y) || !state_.merge(second_))) return false;
    payload_.clear();
    state_.write(payload_);
    put_entry(key, payload_.view(), body_);
    return true;
  });
  if (count > 0) out.varint(count);
  out.raw(body_.view());
  return sound;
}

}  // namespace kehu::aggregate
