#include "json/fields.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "json/scan.h"

namespace kehu::json {
namespace {

// Goes behind the closing quote of the string at p, or to the end.
const char* skip_string(const char* p, const char* end, bool& escaped) {
  for (++p;;) {
    p = find_string_stop(p, end);
    if (p == end) return end;
    if (*p == '"') return p + 1;
    escaped = escaped || *p == '\\';
    p += *p == '\\' && end - p >= 2 ? 2 : 1;
  }
}

// Only depth is counted and strings are stepped over: the text is JSON, so brackets and braces match. It
// is a loop, since the depth is the input's.
const char* skip_container(const char* p, const char* end) {
  int depth = 0;
  bool escaped = false;
  while (p < end) {
    const char c = *p;
    if (c == '"') {
      p = skip_string(p, end, escaped);
      continue;
    }
    ++p;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) break;
  }
  return p;
}

const char* skip_scalar(const char* p, const char* end) {
  while (p < end && *p != ',' && *p != '}' && *p != ']' && !is_space(*p)) ++p;
  return p;
}

Kind kind_of(char first) {
  switch (first) {
    case '"':
      return Kind::kString;
    case '{':
      return Kind::kObject;
    case '[':
      return Kind::kArray;
    case 't':
    case 'f':
      return Kind::kBool;
    case 'n':
      return Kind::kNull;
    default:
      return Kind::kNumber;
  }
}

const char* skip_value(const char* p, const char* end, Kind kind) {
  bool escaped = false;
  switch (kind) {
    case Kind::kString:
      return skip_string(p, end, escaped);
    case Kind::kObject:
    case Kind::kArray:
      return skip_container(p, end);
    default:
      return skip_scalar(p, end);
  }
}

std::string_view text_between(const char* begin, const char* end) {
  return {begin, static_cast<size_t>(end - begin)};
}

}  // namespace

void FieldReader::open(std::string_view container) {
  at_ = container.data();
  end_ = at_ + container.size();
  at_ = skip_space(at_, end_);
  if (at_ == end_ || (*at_ != '{' && *at_ != '[')) {
    at_ = end_;
    return;
  }
  keys_ = *at_++ == '{';
}

// Reads text that was checked before, and therefore only looks for ends: it judges neither commas nor
// values. It still never reads behind the end, and on text that is no JSON it stops.
bool FieldReader::next(Field& field) {
  while (at_ < end_ && (*at_ == ',' || is_space(*at_))) ++at_;
  if (at_ == end_ || *at_ == '}' || *at_ == ']') {
    at_ = end_;
    return false;
  }
  field.key = {};
  if (keys_) {
    bool escaped = false;
    const char* key = at_;
    at_ = skip_string(at_, end_, escaped);
    if (at_ - key < 2) return false;
    field.key = escaped ? unescape(text_between(key, at_), key_) : text_between(key + 1, at_ - 1);
    while (at_ < end_ && (*at_ == ':' || is_space(*at_))) ++at_;
    if (at_ == end_) return false;
  }
  const char* value = at_;
  field.value.kind = kind_of(*value);
  at_ = skip_value(value, end_, field.value.kind);
  field.value.raw = text_between(value, at_);
  return at_ > value;
}

absl::StatusOr<FieldPath> FieldPath::parse(std::string_view text) {
  FieldPath path;
  path.text_ = std::string(text);
  while (true) {
    const size_t dot = text.find('.');
    std::string_view name = text.substr(0, dot);
    const bool each = name.ends_with("[]");
    if (each) name.remove_suffix(2);
    if (name.empty())
      return absl::InvalidArgumentError(absl::StrCat("property path \"", path.text_, "\": empty step"));
    path.steps_.push_back(Step{std::string(name)});
    if (each) path.steps_.push_back(Step{});
    if (dot == text.npos) return path;
    text.remove_prefix(dot + 1);
  }
}

void FieldPath::visit(std::string_view object, absl::FunctionRef<void(const RawValue&)> visit) const {
  visit_from(0, RawValue{Kind::kObject, object}, visit);
}

// Recursive over the steps of the path, which a person wrote, not over the input.
void FieldPath::visit_from(size_t step, const RawValue& value,
                           absl::FunctionRef<void(const RawValue&)> visit) const {
  if (step == steps_.size()) return visit(value);
  const std::string& key = steps_[step].key;
  if (!key.empty()) {
    if (value.kind != Kind::kObject) return;
    if (const auto member = find_field(value.raw, key)) visit_from(step + 1, *member, visit);
    return;
  }
  if (value.kind != Kind::kArray) return;
  FieldReader reader(value.raw);
  for (Field element; reader.next(element);) visit_from(step + 1, element.value, visit);
}

std::optional<RawValue> find_field(std::string_view object, std::string_view key) {
  std::optional<RawValue> found;
  FieldReader reader(object);
  for (Field field; reader.next(field);) {
    if (field.key == key) found = field.value;
  }
  return found;
}

}  // namespace kehu::json
