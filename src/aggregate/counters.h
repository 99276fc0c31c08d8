#pragma once

#include <cstdint>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "aggregate/entries.h"
#include "aggregate/ring.h"
#include "aggregate/wire.h"
#include "base/civil_day.h"
#include "base/time.h"
#include "model/ids.h"

// How often and when each event happened.
namespace kehu::aggregate {

// Names that no text has. Events other than track are counted under the number of their type.
inline constexpr NameId kOtherNames = NameId(0xffff'ffff'ffffULL);

struct Counter {
  uint64_t total = 0;
  Instant first;
  Instant last;
  Ring<uint64_t> minutes;
  Ring<uint64_t> hours;
  Ring<uint64_t> days;  // of the business zone

  void start(Instant time, CivilDay day);
  void add(Instant time, CivilDay day);
  void merge(const Counter& other);
  bool read(std::string_view payload);
  void write(WireBuffer& out) const;

 private:
  uint8_t flags() const;
};

int64_t minute_of(Instant t);
int64_t hour_of(Instant t);

// The section of counters. Keeps the limits::kEventNamesPerCustomer names with the smallest keys and counts
// the rest under kOtherNames: a name once pushed out can never come back, so a kept counter has missed
// nothing.
class CounterSection {
 public:
  // Writes `section` + one event to `out`; false on damage.
  bool fold(std::string_view section, NameId name, Instant time, CivilDay day, WireBuffer& out);
  bool merge(std::string_view a, std::string_view b, WireBuffer& out);
  // Whether the last fold added the name to the section.
  bool added() const { return added_; }

 private:
  Counter counter_;
  Counter second_;
  Counter other_;
  WireBuffer payload_;
  WireBuffer single_;
  WireBuffer body_;
  bool added_ = false;
};

// False on damage.
bool read_counters(std::string_view section, absl::FunctionRef<void(NameId, const Counter&)> visit);

}  // namespace kehu::aggregate
