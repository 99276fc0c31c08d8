#include "aggregate/counters.h"

#include <algorithm>
#include <cstdlib>

#include "base/limits.h"

namespace kehu::aggregate {
namespace {

constexpr int64_t kMinute = 60'000'000;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;

constexpr uint8_t kSingle = 4;
// All events lie in the newest bucket of the ring, which is then not written.
constexpr uint8_t kOneMinute = 8;
constexpr uint8_t kOneHour = 16;
constexpr uint8_t kOneDay = 32;
constexpr uint8_t kKnownFlags = 63;
// The day of `last` in the business zone is written as its distance from the day in UTC, because whoever
// reads a counter knows no zone. A zone is less than a day away from UTC, so two bits are enough; kFarDay
// stands for any other distance, which then follows.
constexpr uint8_t kFarDay = 3;
constexpr int64_t kMaxDayDistance = 100'000;

// Rounds towards minus infinity, so that an instant before 1970 lies in the minute that contains it.
int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

uint8_t day_code(int64_t distance) {
  if (distance == 0) return 0;
  if (distance == 1) return 1;
  return distance == -1 ? 2 : kFarDay;
}

bool holds_all(const Ring<uint64_t>& ring, uint64_t total) {
  return ring.buckets().size() == 1 && ring.buckets()[0].value == total;
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

// Most counters count one event, or a few of one visit. A ring whose newest bucket holds the total is
// known from the total and `last`, and is left out. The flag is set exactly when that holds, so each state
// still has one text.
uint8_t Counter::flags() const {
  if (total == 1) return kSingle;
  return static_cast<uint8_t>((holds_all(minutes, total) ? kOneMinute : 0) |
                              (holds_all(hours, total) ? kOneHour : 0) |
                              (holds_all(days, total) ? kOneDay : 0));
}

void Counter::write(WireBuffer& out) const {
  const int64_t distance = days.newest() - floor_div(last.micros(), kDay);
  const uint8_t known = flags();
  out.byte(static_cast<uint8_t>(known | day_code(distance)));
  out.instant(last);
  if (day_code(distance) == kFarDay) out.zigzag(distance);
  if (known & kSingle) return;
  out.varint(total);
  out.duration(last - first);
  if (!(known & kOneMinute)) minutes.write(out);
  if (!(known & kOneHour)) hours.write(out);
  if (!(known & kOneDay)) days.write(out);
}

bool Counter::read(std::string_view payload) {
  WireReader in(payload);
  const uint8_t known = in.byte();
  if (known > kKnownFlags) in.fail();
  last = in.instant();
  const int64_t day = floor_div(last.micros(), kDay) + day_distance(known & 3, in);
  total = 1;
  first = last;
  if (!(known & kSingle)) {
    total = in.varint();
    first = in.instant_before(last);
  }
  const auto read_ring = [&](Ring<uint64_t>& ring, int64_t newest, uint8_t alone, uint32_t length) {
    if (known & (kSingle | alone)) return ring.start(newest, total);
    ring.read(newest, length, in);
  };
  read_ring(minutes, minute_of(last), kOneMinute, kMinuteRing);
  read_ring(hours, hour_of(last), kOneHour, kHourRing);
  read_ring(days, day, kOneDay, kDayRing);
  return in.complete();
}

// A name that is there, or that still has room, costs a search and one entry that is rewritten between the
// bytes around it. A new name beyond the limit is rare and goes the general way, a merge with a list of
// this name alone, which decides who has to give way.
bool CounterSection::fold(std::string_view section, NameId name, Instant time, CivilDay day,
                          WireBuffer& out) {
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

// Keys come in ascending order, so the first kEventNamesPerCustomer are the smallest, and the rest are
// added up under kOtherNames. A kept counter has missed nothing: whatever was pushed out once has a larger
// key than all that are kept now. Choosing the first, the last or the most frequent names would depend on
// the order of events (docs/decisions/profile.md).
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

}  // namespace kehu::aggregate
