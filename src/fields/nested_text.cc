#include "fields/nested_text.h"

#include <string>
#include <utility>
#include <vector>

#include "json/index.h"

namespace kehu::fields {
namespace {

constexpr size_t kLevelsMax = 6;

bool may_be_json(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  return first != text.npos && (text[first] == '{' || text[first] == '[');
}

class Reader {
 public:
  Reader(const FieldClasses& classes, const PersonalValues& values) : classes_(classes), values_(values) {}

  // Texts in it that may be JSON again go to `inner`.
  bool has_personal(std::string_view text, std::vector<std::string>& inner) {
    if (index_.scan(text)) return false;
    uint8_t field_class = 0;
    for (uint32_t at = 0; at < index_.size(); ++at) {
      const json::Index::Node& node = index_[at];
      if (node.is_key) {
        field_class = classes_.find(index_.text_of(node, scratch_));
        if ((field_class & FieldClass::kPersonalKey) != 0) return true;
        if (names_personal(field_class, index_[at + 1])) return true;
        continue;
      }
      if (node.kind == json::Kind::kNumber && reads_personal(index_.raw(node), field_class)) return true;
      if (node.kind != json::Kind::kString) continue;
      const std::string_view value = index_.text_of(node, scratch_);
      if (reads_personal(value, field_class)) return true;
      if (may_be_json(value)) inner.emplace_back(value);
    }
    return false;
  }

 private:
  static bool names_personal(uint8_t field_class, const json::Index::Node& value) {
    if (value.kind == json::Kind::kNull) return false;
    const bool named = (field_class & FieldClass::kPersonalName) != 0 && value.kind != json::Kind::kBool;
    return named || (field_class & FieldClass::kPersonal) != 0;
  }

  bool reads_personal(std::string_view value, uint8_t field_class) const {
    if ((field_class & FieldClass::kExcepted) != 0) return false;
    const PersonalKind kind = values_.free_text ? personal_kind_inside(value) : personal_kind(value);
    const bool plain = (field_class & FieldClass::kPlainNumber) != 0 && is_bare_number(value);
    return values_.seals(kind) && !plain;
  }

  const FieldClasses& classes_;
  const PersonalValues& values_;
  json::Index index_;
  std::string scratch_;
};

}  // namespace

bool holds_personal(std::string_view text, const FieldClasses& classes, const PersonalValues& values) {
  if (!may_be_json(text)) return false;
  Reader reader(classes, values);
  std::vector<std::string> level = {std::string(text)};
  for (size_t depth = 0; !level.empty(); ++depth) {
    if (depth == kLevelsMax) return true;
    std::vector<std::string> inner;
    for (const std::string& each : level) {
      if (reader.has_personal(each, inner)) return true;
    }
    level = std::move(inner);
  }
  return false;
}

}  // namespace kehu::fields
