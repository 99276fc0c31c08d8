#include "tally/end_values.h"

#include "base/text.h"

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
  if (kind > static_cast<uint8_t>(Value::Kind::kInstant)) in.fail();
  value.kind = static_cast<Value::Kind>(kind);
  if (value.kind == Value::Kind::kBool) {
    value.truth = in.byte() != 0;
  } else if (value.kind == Value::Kind::kInstant) {
    value.time = Instant(in.zigzag());
  } else if (value.known()) {
    if (value.kind == Value::Kind::kNumber) value.number = in.wide();
    value.text = std::string(in.text());
  }
  if (in.failed()) value = {};
  return value;
}

void EndValues::add(Instant time, const Value& value) {
  if (!value.known()) return;
  const Value kept = cut(value);
  if (empty() || time < first_.time || (time == first_.time && greater(kept, first_.value))) {
    first_ = {time, kept};
  }
  if (!last_.value.known() || time > last_.time || (time == last_.time && greater(kept, last_.value))) {
    last_ = {time, kept};
  }
}

void EndValues::merge(const EndValues& other) {
  add(other.first_.time, other.first_.value);
  add(other.last_.time, other.last_.value);
}

bool EndValues::read(std::string_view payload) {
  clear();
  if (payload.empty()) return true;
  aggregate::WireReader in(payload);
  last_.time = in.instant();
  last_.value = read_value(in);
  first_.time = in.instant_before(last_.time);
  first_.value = read_value(in);
  return in.complete() && first_.value.known() && last_.value.known();
}

void EndValues::write(aggregate::WireBuffer& out) const {
  if (empty()) return;
  out.instant(last_.time);
  write_value(last_.value, out);
  out.duration(last_.time - first_.time);
  write_value(first_.value, out);
}

}  // namespace kehu::tally
