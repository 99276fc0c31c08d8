#pragma once

#include <string_view>

#include "aggregate/wire.h"
#include "base/time.h"
#include "rule/value.h"

namespace kehu::tally {

// A property's value in the first and in the last event that has one. Of equal times the greatest text wins, so
// that the order in which they came does not matter.
class EndValues {
 public:
  struct End {
    Instant time;
    rule::Value value;  // unknown: there is none
  };

  void clear() { *this = {}; }
  bool empty() const { return !first_.value.known(); }
  void add(Instant time, const rule::Value& value);
  void merge(const EndValues& other);
  // False on damage.
  bool read(std::string_view payload);
  void write(aggregate::WireBuffer& out) const;

  const End& first() const { return first_; }
  const End& last() const { return last_; }

 private:
  End first_;
  End last_;
};

// A value as bytes: byte kind; of a boolean a byte, of all others a text.
void write_value(const rule::Value& value, aggregate::WireBuffer& out);
rule::Value read_value(aggregate::WireReader& in);

}  // namespace kehu::tally
