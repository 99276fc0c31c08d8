#include "tally/amounts.h"

#include <algorithm>

#include "tally/buckets.h"

// total, then, if windows slide: varint how many buckets, and for the newest its number as zigzag, for each
// older one how many granules it lies before the one behind it; and its amount.
// An amount: varint count; of numbers wide sum, with extremes zigzag least and varint span; of a total, and
// of buckets with ends, instant last and duration last − first.
namespace kehu::tally {
namespace {

using aggregate::WireBuffer;
using aggregate::WireReader;

void write_amount(const Spec& spec, bool ends, const Amount& amount, WireBuffer& out) {
  out.varint(amount.count);
  if (!spec.path.empty()) out.wide(amount.sum);
  if (spec.extremes) {
    out.zigzag(amount.min);
    out.varint(static_cast<uint64_t>(amount.max) - static_cast<uint64_t>(amount.min));
  }
  if (ends) {
    out.instant(amount.last);
    out.duration(amount.last - amount.first);
  }
}

Amount read_amount(const Spec& spec, bool ends, WireReader& in) {
  Amount amount;
  amount.count = read_count(in);
  if (!spec.path.empty()) amount.sum = read_sum(in);
  if (spec.extremes) {
    amount.min = in.zigzag();
    amount.max = static_cast<int64_t>(static_cast<uint64_t>(amount.min) + in.varint());
  }
  if (ends) {
    amount.last = in.instant();
    amount.first = in.instant_before(amount.last);
  }
  if (amount.count == 0) in.fail();
  return amount;
}

}  // namespace

void Amount::add(const Amount& other) {
  if (other.count == 0) return;
  if (count == 0) {
    *this = other;
    return;
  }
  count += other.count;
  sum = aggregate::wrapping_add(sum, other.sum);
  min = std::min(min, other.min);
  max = std::max(max, other.max);
  first = std::min(first, other.first);
  last = std::max(last, other.last);
}

void Amounts::clear() {
  total_ = {};
  buckets_.clear();
}

void Amounts::add(const Spec& spec, Instant time, int64_t number, std::optional<int64_t> value) {
  const int64_t units = value.value_or(0);
  add(spec, number, {.count = 1, .sum = units, .min = units, .max = units, .first = time, .last = time});
}

void Amounts::add(const Spec& spec, int64_t number, const Amount& amount) {
  total_.add(amount);
  if (spec.granule == rule::Granule::kNone) return;
  bucket_of(buckets_, number).amount.add(amount);
  drop_old(buckets_, buckets_.front().number, spec.length);
}

void Amounts::merge(const Spec& spec, const Amounts& other) {
  total_.add(other.total_);
  if (other.buckets_.empty()) return;
  merged_.clear();
  auto a = buckets_.begin();
  auto b = other.buckets_.begin();
  while (a != buckets_.end() || b != other.buckets_.end()) {
    const bool take_a = a != buckets_.end() && (b == other.buckets_.end() || a->number >= b->number);
    const bool take_b = b != other.buckets_.end() && (a == buckets_.end() || b->number >= a->number);
    Bucket bucket = take_a ? *a++ : *b;
    if (take_b) {
      if (take_a) bucket.amount.add(b->amount);
      ++b;
    }
    merged_.push_back(bucket);
  }
  buckets_.swap(merged_);
  drop_old(buckets_, buckets_.front().number, spec.length);
}

bool Amounts::read(const Spec& spec, std::string_view payload) {
  clear();
  if (payload.empty()) return true;
  WireReader in(payload);
  total_ = read_amount(spec, true, in);
  if (spec.granule != rule::Granule::kNone) {
    const uint64_t count = in.varint();
    int64_t number = 0;
    for (uint64_t i = 0; i < count && !in.failed(); ++i) {
      number = i == 0 ? read_number(spec.granule, in) : read_number_before(number, spec.granule, in);
      buckets_.push_back({number, read_amount(spec, spec.ends, in)});
    }
  }
  return in.complete();
}

void Amounts::write(const Spec& spec, WireBuffer& out) const {
  if (empty()) return;
  write_amount(spec, true, total_, out);
  if (spec.granule == rule::Granule::kNone) return;
  out.varint(buckets_.size());
  int64_t number = 0;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    const Bucket& bucket = buckets_[i];
    i == 0 ? out.zigzag(bucket.number) : out.varint(static_cast<uint64_t>(number - bucket.number));
    number = bucket.number;
    write_amount(spec, spec.ends, bucket.amount, out);
  }
}

}  // namespace kehu::tally
