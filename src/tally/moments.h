#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "aggregate/wire.h"
#include "base/time.h"

namespace kehu::tally {

// When the first so many events were, in order.
class Moments {
 public:
  void clear() { times_.clear(); }
  bool empty() const { return times_.empty(); }
  void add(Instant time, uint32_t keep);
  void merge(const Moments& other, uint32_t keep);
  // False on damage.
  bool read(std::string_view payload);
  void write(aggregate::WireBuffer& out) const;

  const std::vector<Instant>& times() const { return times_; }

 private:
  std::vector<Instant> times_;
};

}  // namespace kehu::tally
