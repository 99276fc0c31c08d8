#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "aggregate/wire.h"
#include "base/time.h"
#include "model/ids.h"

// The newest value of each trait.
namespace kehu::profile {

// When and by whom a trait was written. The later one wins; of one time, the larger source.
struct Stamp {
  Instant time;
  SourceId source;

  auto operator<=>(const Stamp&) const = default;
};

struct Trait {
  NameId name;
  std::string_view value;  // JSON text; empty once deleted
  Stamp stamp;
};

// Views point into the section that was read and into the values that were set.
class Traits {
 public:
  const std::vector<Trait>& values() const { return values_; }  // by name
  uint64_t too_long() const { return too_long_; }
  bool left_out() const { return left_out_; }

  // Sets the trait where the stamp says so; the larger value wins an equal stamp. True when the name is new.
  bool set(const Trait& trait);
  void count_too_long() { ++too_long_; }
  // Beyond limits::kTraitsPerCustomer names the smallest stay: a name pushed out can never come back, so the
  // rest have missed nothing.
  void trim();
  // The same where others count too: `count` names stay, and something was left out.
  void trim_to(size_t count);
  // What was written up to `stamp` is deleted.
  void empty_until(Stamp stamp);
  // nullptr when it was never written.
  const Trait* find(NameId name) const;
  void merge(const Traits& other);
  // False on damage.
  bool read(std::string_view section);
  void write(aggregate::WireBuffer& out) const;

 private:
  std::vector<Trait> values_;
  mutable std::vector<Stamp> stamps_;  // scratch of read and write
  uint64_t too_long_ = 0;
  bool left_out_ = false;
};

}  // namespace kehu::profile
