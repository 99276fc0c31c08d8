#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "aggregate/wire.h"
#include "base/time.h"
#include "rule/value.h"
#include "tally/spec.h"

namespace kehu::tally {

// A property's value in the first and in the last event that has one. Of equal times the greatest text wins,
// so that the order in which they came does not matter.
class EndValues {
 public:
  struct End {
    Instant time;
    rule::Value value;  // unknown: there is none
  };

  // The last of one granule, for windows that have an end.
  struct Bucket {
    int64_t number = 0;
    End last = {};
  };

  void clear();
  bool empty() const { return !first_.value.known(); }
  void add(const Spec& spec, Instant time, int64_t number, const rule::Value& value);
  void merge(const Spec& spec, const EndValues& other);
  // False on damage.
  bool read(const Spec& spec, std::string_view payload);
  void write(const Spec& spec, aggregate::WireBuffer& out) const;

  const End& first() const { return first_; }
  const End& last() const { return last_; }
  const std::vector<Bucket>& buckets() const { return buckets_; }  // newest first

 private:
  void put(const Spec& spec, const Bucket& bucket);

  End first_;
  End last_;
  std::vector<Bucket> buckets_;
};

// A value as bytes: byte kind; of a boolean a byte, of all others a text.
void write_value(const rule::Value& value, aggregate::WireBuffer& out);
rule::Value read_value(aggregate::WireReader& in);

}  // namespace kehu::tally
