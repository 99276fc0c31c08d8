#include "translation/tagged.h"

#include <charconv>

#include "base/text.h"

namespace kehu::translation {

using rule::Value;

std::optional<std::string> tagged(const Value& value) {
  switch (value.kind) {
    case Value::Kind::kUnknown:
      return std::nullopt;
    case Value::Kind::kBool:
      return value.truth ? "t" : "f";
    case Value::Kind::kNumber:
      return value.text.empty() ? sum_to_string(value.number) : value.text;
    case Value::Kind::kText:
      return cat('"', value.text);
    case Value::Kind::kList:
      return value.text;
    case Value::Kind::kInstant:
      return cat('@', value.time.micros());
  }
  return std::nullopt;
}

Value untagged(std::string_view text) {
  if (text.empty()) return {};
  const std::string_view rest = text.substr(1);
  int64_t micros = 0;
  switch (text.front()) {
    case '"':
      return Value::of(rest);
    case '[':
      return Value::list_of_json(text);
    case 't':
    case 'f':
      return Value::of(text.front() == 't');
    case '@':
      std::from_chars(rest.data(), rest.data() + rest.size(), micros);
      return Value::of(Instant(micros));
    default:
      return Value::of(json::RawValue{json::Kind::kNumber, text});
  }
}

}  // namespace kehu::translation
