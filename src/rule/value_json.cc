#include "rule/value_json.h"

#include "json/writer.h"

namespace kehu::rule {

std::string json_of(Kind kind, const Value& value, const BusinessZone& zone) {
  if (kind == Kind::kSegment) return value.known() ? "true" : "false";
  switch (value.kind) {
    case Value::Kind::kUnknown:
      return "null";
    case Value::Kind::kBool:
      return value.truth ? "true" : "false";
    case Value::Kind::kNumber:
      return sum_to_string(value.number);
    case Value::Kind::kList:
      return value.text;
    default: {
      std::string out;
      json::Writer(out).value(as_text(value, zone).value_or(""));
      return out;
    }
  }
}

}  // namespace kehu::rule
