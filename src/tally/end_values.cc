#include "tally/end_values.h"

#include "base/text.h"
#include "tally/buckets.h"

namespace kehu::tally {
namespace {

using rule::Value;

std::string_view text_of(const Value& value) {
  if (value.kind == Value::Kind::kBool) return value.truth ? "true" : "false";
  return value.text;
}

bool greater(const Value& a, const Value& b) {
  return text_of(a) != text_of(b) ? text_of(a) > text_of(b) : a.kind > b.kind;
}

bool is_later(const EndValues::End& a, const EndValues::End& b) {
  if (!b.value.known() || a.time != b.time) return !b.value.known() || a.time > b.time;
  return greater(a.value, b.value);
}

// An instant and the longest span that is added to one.
constexpr int64_t kMicrosMost = 40'000'000'000'000'000;

Value cut(Value value) {
  value.text = std::string(cut_utf8(value.text, rule::kValueBytes));
  return value;
}

}  // namespace

void write_value(const Value& value, aggregate::WireBuffer& out) {
  out.byte(static_cast<uint8_t>(value.kind));
  if (value.kind == Value::Kind::kBool) return out.byte(value.truth ? 1 : 0);
  if (value.kind == Value::Kind::kInstant) return out.zigzag(value.time.micros());
  if (value.kind == Value::Kind::kNumber) out.wide(value.number);
  if (value.known()) out.text(value.text);
}

Value read_value(aggregate::WireReader& in) {
  Value value;
  const uint8_t kind = in.byte();
  if (kind > static_cast<uint8_t>(Value::Kind::kList)) in.fail();
  value.kind = static_cast<Value::Kind>(kind);
  if (value.kind == Value::Kind::kBool) {
    value.truth = in.byte() != 0;
  } else if (value.kind == Value::Kind::kInstant) {
    value.time = Instant(in.zigzag());
    if (value.time.micros() < -kMicrosMost || value.time.micros() > kMicrosMost) in.fail();
  } else if (value.known()) {
    if (value.kind == Value::Kind::kNumber) value.number = read_sum(in);
    value.text = std::string(in.text());
    const bool is_list = value.kind != Value::Kind::kList || Value::list_of_json(value.text) == value;
    if (!is_list) in.fail();
  }
  if (in.failed()) value = {};
  return value;
}

void EndValues::clear() {
  first_ = last_ = {};
  buckets_.clear();
}

void EndValues::add(const Spec& spec, Instant time, int64_t number, const Value& value) {
  if (!value.known()) return;
  const End end{time, cut(value)};
  if (empty() || time < first_.time || (time == first_.time && greater(end.value, first_.value)))
    first_ = end;
  if (is_later(end, last_)) last_ = end;
  if (spec.granule != rule::Granule::kNone) put(spec, {number, end});
}

void EndValues::put(const Spec& spec, const Bucket& bucket) {
  End& last = bucket_of(buckets_, bucket.number).last;
  if (is_later(bucket.last, last)) last = bucket.last;
  drop_old(buckets_, buckets_.front().number, spec.length);
}

void EndValues::merge(const Spec& spec, const EndValues& other) {
  const Spec totals_only{.kind = spec.kind};
  add(totals_only, other.first_.time, 0, other.first_.value);
  add(totals_only, other.last_.time, 0, other.last_.value);
  for (const Bucket& bucket : other.buckets_) put(spec, bucket);
}

// instant last, its value, duration last − first, the first's value; with windows varint how many buckets,
// each: zigzag number of the newest, varint granules before the one behind; instant, value.
bool EndValues::read(const Spec& spec, std::string_view payload) {
  clear();
  if (payload.empty()) return true;
  aggregate::WireReader in(payload);
  last_.time = in.instant();
  last_.value = read_value(in);
  first_.time = in.instant_before(last_.time);
  first_.value = read_value(in);
  const uint64_t count = spec.granule == rule::Granule::kNone ? 0 : in.varint();
  int64_t number = 0;
  for (uint64_t i = 0; i < count && !in.failed(); ++i) {
    number = i == 0 ? read_number(spec.granule, in) : read_number_before(number, spec.granule, in);
    End end{.time = in.instant(), .value = {}};
    end.value = read_value(in);
    buckets_.push_back({number, std::move(end)});
  }
  return in.complete() && first_.value.known() && last_.value.known();
}

void EndValues::write(const Spec& spec, aggregate::WireBuffer& out) const {
  if (empty()) return;
  out.instant(last_.time);
  write_value(last_.value, out);
  out.duration(last_.time - first_.time);
  write_value(first_.value, out);
  if (spec.granule == rule::Granule::kNone) return;
  out.varint(buckets_.size());
  int64_t number = 0;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    const Bucket& bucket = buckets_[i];
    i == 0 ? out.zigzag(bucket.number) : out.varint(static_cast<uint64_t>(number - bucket.number));
    number = bucket.number;
    out.instant(bucket.last.time);
    write_value(bucket.last.value, out);
  }
}

}  // namespace kehu::tally
