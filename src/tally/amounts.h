#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "aggregate/wire.h"
#include "base/money.h"
#include "base/time.h"
#include "rule/window.h"
#include "tally/spec.h"

namespace kehu::tally {

// How many there were, and what they add up to. Of numbers: at least one value; `first` and `last` mean
// something when there is one.
struct Amount {
  uint64_t count = 0;
  Sum sum = 0;
  int64_t min = 0;  // in units of 10^-4
  int64_t max = 0;
  Instant first;
  Instant last;

  void add(const Amount& other);
};

// A total and a number for each granule that had one, newest first. A commutative monoid: buckets older than
// newest − length are dropped whenever they are met, which depends on what was added and not on its order.
class Amounts {
 public:
  struct Bucket {
    int64_t number = 0;
    Amount amount = {};
  };

  void clear();
  bool empty() const { return total_.count == 0; }
  // One event (or one of its values); `number` is its granule.
  void add(const Spec& spec, Instant time, int64_t number, std::optional<int64_t> value);
  // What many events of one granule add up to.
  void add(const Spec& spec, int64_t number, const Amount& amount);
  void merge(const Spec& spec, const Amounts& other);
  // False on damage.
  bool read(const Spec& spec, std::string_view payload);
  void write(const Spec& spec, aggregate::WireBuffer& out) const;

  const Amount& total() const { return total_; }
  const std::vector<Bucket>& buckets() const { return buckets_; }

 private:
  Amount total_;
  std::vector<Bucket> buckets_;
  std::vector<Bucket> merged_;  // scratch
};

}  // namespace kehu::tally
