#include "profile/counters.h"

#include <algorithm>
#include <cstdlib>

#include "base/limits.h"
#include "profile/plan.h"

namespace kehu::profile {
namespace {

constexpr int64_t kMinute = 60'000'000;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;

constexpr uint8_t kSingle = 4;
constexpr uint8_t kKnownFlags = 7;
// The day of `last` in the business zone is written as its distance from the day in UTC.
constexpr uint8_t kFarDay = 3;
constexpr int64_t kMaxDayDistance = 100'000;

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

uint8_t day_code(int64_t distance) {
  if (distance == 0) return 0;
  if (distance == 1) return 1;
  return distance == -1 ? 2 : kFarDay;
}

int64_t day_distance(uint8_t code, WireReader& in) {
  if (code == kFarDay) {
    const int64_t distance = in.zigzag();
    if (distance > kMaxDayDistance || distance < -kMaxDayDistance) in.fail();
    return in.failed() ? 0 : distance;
  }
  return code == 2 ? -1 : code;
}

}  // namespace

int64_t minute_of(Instant t) { return floor_div(t.micros(), kMinute); }
int64_t hour_of(Instant t) { return floor_div(t.micros(), kHour); }

void Counter::start(Instant time, CivilDay day) {
  total = 1;
  first = last = time;
  minutes.start(minute_of(time), 1);
  hours.start(hour_of(time), 1);
  days.start(day.value(), 1);
}

void Counter::add(Instant time, CivilDay day) {
  ++total;
  first = std::min(first, time);
  last = std::max(last, time);
  minutes.add(minute_of(time), 1, kMinuteRing);
  hours.add(hour_of(time), 1, kHourRing);
  days.add(day.value(), 1, kDayRing);
}

void Counter::merge(const Counter& other) {
  total += other.total;
  first = std::min(first, other.first);
  last = std::max(last, other.last);
  minutes.merge(other.minutes, kMinuteRing);
  hours.merge(other.hours, kHourRing);
  days.merge(other.days, kDayRing);
}

void Counter::write(WireBuffer& out) const {
  const int64_t distance = days.newest() - floor_div(last.micros(), kDay);
  out.byte(static_cast<uint8_t>(day_code(distance) | (total == 1 ? kSingle : 0)));
  out.instant(last);
  if (day_code(distance) == kFarDay) out.zigzag(distance);
  if (total == 1) return;
  out.varint(total);
  out.duration(last - first);
  minutes.write(out);
  hours.write(out);
  days.write(out);
}

bool Counter::read(std::string_view payload) {
  WireReader in(payload);
  const uint8_t flags = in.byte();
  if (flags > kKnownFlags) in.fail();
  const Instant newest = in.instant();
  const int64_t day = floor_div(newest.micros(), kDay) + day_distance(flags & 3, in);
  start(newest, CivilDay(static_cast<int32_t>(day)));
  if (flags & kSingle) return in.complete();
  total = in.varint();
  first = in.instant_before(last);
  minutes.read(minute_of(last), kMinuteRing, in);
  hours.read(hour_of(last), kHourRing, in);
  days.read(day, kDayRing, in);
  return in.complete();
}

bool CounterSection::fold(std::string_view section, NameId name, Instant time, CivilDay day, WireBuffer& out) {
  Slot slot;
  if (!locate(section, name.value(), slot)) return false;
  added_ = !slot.found;
  payload_.clear();
  if (slot.found) {
    if (!counter_.read(slot.payload)) return false;
    counter_.add(time, day);
  } else {
    counter_.start(time, day);
  }
  counter_.write(payload_);
  if (slot.found || slot.count < limits::kEventNamesPerCustomer) {
    put_list(slot, name.value(), payload_.view(), out);
    return true;
  }
  single_.clear();
  put_list(Slot{}, name.value(), payload_.view(), single_);
  return merge(section, single_.view(), out);
}

bool CounterSection::merge(std::string_view a, std::string_view b, WireBuffer& out) {
  uint64_t kept = 0;
  bool has_other = false;
  body_.clear();
  const auto read = [this](std::string_view x, std::string_view y) {
    if (!counter_.read(x.empty() ? y : x)) return false;
    if (x.empty() || y.empty()) return true;
    if (!second_.read(y)) return false;
    counter_.merge(second_);
    return true;
  };
  const bool sound = merge_entries(a, b, [&](uint64_t key, std::string_view x, std::string_view y) {
    if (!read(x, y)) return false;
    if (key != kOtherNames.value() && kept < limits::kEventNamesPerCustomer) {
      ++kept;
      payload_.clear();
      counter_.write(payload_);
      put_entry(key, payload_.view(), body_);
      return true;
    }
    if (has_other) {
      other_.merge(counter_);
    } else {
      std::swap(other_, counter_);
    }
    has_other = true;
    return true;
  });
  if (!sound) return false;
  if (has_other) {
    payload_.clear();
    other_.write(payload_);
    put_entry(kOtherNames.value(), payload_.view(), body_);
  }
  if (kept > 0) out.varint(kept + (has_other ? 1 : 0));
  out.raw(body_.view());
  return true;
}

bool read_counters(std::string_view section, absl::FunctionRef<void(NameId, const Counter&)> visit) {
  EntryReader entries(section);
  Counter counter;
  for (Entry entry; entries.next(entry);) {
    if (!counter.read(entry.payload)) return false;
    visit(NameId(entry.key), counter);
  }
  return !entries.failed();
}

}  // namespace kehu::profile
