#include "rule/value.h"

#include "base/text.h"
#include "json/document.h"
#include "json/fields.h"
#include "json/writer.h"
#include "rule/wall_clock.h"

namespace kehu::rule {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

size_t digits(std::string_view text) {
  size_t count = 0;
  while (count < text.size() && is_digit(text[count])) ++count;
  return count;
}

// "12.50" and "-3"; not "+3", ".5", "3." or "1e3", whose spelling says that they are something else.
bool is_plain_decimal(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const size_t whole = digits(text);
  text.remove_prefix(whole);
  if (whole == 0 || text.empty()) return whole > 0;
  text.remove_prefix(1);
  return digits(text) > 0 && digits(text) == text.size() && *(text.data() - 1) == '.';
}

std::optional<Instant> accepted(Instant t) {
  if (t < kFirstInstant || t > kLastInstant) return std::nullopt;
  return t;
}

// A text without a zone was read as UTC, whose day and time of day are what the text says.
Instant in_zone(Instant read_as_utc, const BusinessZone& zone) {
  const BusinessZone utc;
  return at(utc.day_of(read_as_utc), time_of_day(read_as_utc, utc), zone);
}

}  // namespace

Value Value::of(bool truth) {
  Value out;
  out.kind = Kind::kBool;
  out.truth = truth;
  return out;
}

Value Value::of(Sum number) {
  Value out;
  out.kind = Kind::kNumber;
  out.number = number;
  return out;
}

Value Value::of(Instant time) {
  Value out;
  out.kind = Kind::kInstant;
  out.time = time;
  return out;
}

Value Value::of(std::string_view text) {
  Value out;
  out.kind = Kind::kText;
  out.text = std::string(text);
  return out;
}

// A number that Decimal does not hold is not thrown away: it can still be compared as a text.
Value Value::of(const json::RawValue& raw) {
  switch (raw.kind) {
    case json::Kind::kBool:
      return of(*raw.as_bool());
    case json::Kind::kNumber: {
      const auto number = Decimal::parse(raw.raw);
      Value out = number ? of(Sum{number->units()}) : of(raw.raw);
      out.text = std::string(raw.raw);
      return out;
    }
    case json::Kind::kString: {
      std::string scratch;
      return of(raw.as_string(scratch));
    }
    default:
      return {};
  }
}

Value Value::list(absl::Span<const std::string> texts) {
  if (texts.empty()) return {};
  Value out;
  out.kind = Kind::kList;
  json::Writer writer(out.text);
  writer.begin_array();
  for (const std::string& text : texts) writer.value(text);
  writer.end_array();
  return out;
}

Value Value::several(absl::Span<const json::RawValue> values) {
  Value out;
  for (const json::RawValue& value : values) {
    if (!of(value).known()) continue;
    out.kind = Kind::kList;
    out.text += cat(out.text.empty() ? "[" : ",", value.raw);
  }
  if (out.known()) out.text += "]";
  return out;
}

Value Value::list_of_json(std::string_view json) {
  const auto document = json::Document::parse(json);
  if (!document.ok() || !document->root().is_array()) return {};
  std::vector<std::string> texts;
  for (const json::Value::Member& member : document->root()) {
    const auto text = member.value.as_string();
    if (!text) return {};
    texts.emplace_back(*text);
  }
  return list(texts);
}

std::vector<Value> elements(const Value& value) {
  if (value.kind != Value::Kind::kList) return {value};
  std::vector<Value> out;
  json::FieldReader reader(value.text);
  for (json::Field field; reader.next(field);) out.push_back(Value::of(field.value));
  return out;
}

std::optional<bool> as_bool(const Value& value) {
  if (value.kind != Value::Kind::kBool) return std::nullopt;
  return value.truth;
}

std::optional<Sum> as_number(const Value& value) {
  if (value.kind == Value::Kind::kNumber) return value.number;
  if (value.kind != Value::Kind::kText || !is_plain_decimal(value.text)) return std::nullopt;
  const auto number = Decimal::parse(value.text);
  if (!number) return std::nullopt;
  return Sum{number->units()};
}

std::optional<Instant> as_instant(const Value& value, const BusinessZone& zone) {
  if (value.kind == Value::Kind::kInstant) return value.time;
  if (value.kind != Value::Kind::kText) return std::nullopt;
  const auto time = parse_iso8601(value.text);
  if (!time) return std::nullopt;
  constexpr size_t kDateBytes = 10;  // 2026-01-31
  const bool has_zone = value.text.size() > kDateBytes && !parse_iso8601(cat(value.text, "Z"));
  return has_zone ? time : accepted(in_zone(*time, zone));
}

std::optional<std::string> as_text(const Value& value, const BusinessZone& zone) {
  switch (value.kind) {
    case Value::Kind::kUnknown:
      return std::nullopt;
    case Value::Kind::kBool:
      return value.truth ? "true" : "false";
    case Value::Kind::kNumber:
      return value.text.empty() ? sum_to_string(value.number) : value.text;
    case Value::Kind::kText:
    case Value::Kind::kList:
      return value.text;
    case Value::Kind::kInstant:
      return zone.format(value.time);
  }
  return std::nullopt;
}

Sum divided(Sum dividend, int64_t divisor) {
  const Sum half = dividend < 0 ? -Sum{divisor} / 2 : Sum{divisor} / 2;
  return (dividend + half) / divisor;
}

}  // namespace kehu::rule
