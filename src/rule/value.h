#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "base/civil_day.h"
#include "base/money.h"
#include "base/time.h"
#include "json/text.h"
#include "rule/tree.h"

namespace kehu::rule {

// What an expression comes to. Texts are whole; what is kept of a customer's events is cut at kValueBytes.
struct Value {
  enum class Kind : uint8_t { kUnknown, kBool, kNumber, kText, kInstant, kList };
  Kind kind = Kind::kUnknown;
  bool truth = false;
  Sum number = 0;  // in units of 10^-4
  Instant time;
  std::string text;  // of kText; of a number from JSON, as it was written there; of a list its texts as JSON

  static Value of(bool truth);
  static Value of(Sum number);
  static Value of(Instant time);
  static Value of(std::string_view text);
  // Null, objects and lists are unknown.
  static Value of(const json::RawValue& raw);

  // Several texts in order; unknown of none.
  static Value list(absl::Span<const std::string> texts);
  // Several values of JSON, of a path that takes a list apart; unknown of none. Only while a condition looks
  // at them: what is kept for a customer is a list of texts.
  static Value several(absl::Span<const json::RawValue> values);
  // Unknown of what is no JSON array of texts, and of none of them.
  static Value list_of_json(std::string_view json);

  bool known() const { return kind != Kind::kUnknown; }
  bool operator==(const Value&) const = default;
};
inline constexpr size_t kValueBytes = 64;

// What a condition looks at: each element of a list, any other value by itself.
std::vector<Value> elements(const Value& value);

// A value as the place asks for it (the table in docs/rules.md); nullopt: it has none of this type.
std::optional<bool> as_bool(const Value& value);
std::optional<Sum> as_number(const Value& value);
std::optional<Instant> as_instant(const Value& value, const BusinessZone& zone);
// Instants as RFC 3339 in the zone; computed numbers as plain decimals; lists as JSON.
std::optional<std::string> as_text(const Value& value, const BusinessZone& zone);

// The type that an expression has whatever the data; nullopt: that of the data (properties, traits, tags, and
// what is made of them).
std::optional<Type> static_type(const Node& node);
// Whether its value may be a list, of which a condition looks at each element.
bool may_be_list(const Node& node);
// What two sides are compared as: the static type of either, else text.
Type comparison_type(const Node& a, const Node& b);

// sum / count and the like: half away from zero. The divisor is positive.
Sum divided(Sum dividend, int64_t divisor);

}  // namespace kehu::rule
