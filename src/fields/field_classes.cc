#include "fields/field_classes.h"

#include "list/standing.h"
#include "model/personal_names.h"
#include "model/personal_values.h"

namespace kehu::fields {
namespace {

constexpr std::string_view kAmounts[] = {"revenue", "total", "price", "value"};

void add_folded(std::string_view name, absl::flat_hash_set<std::string>& out) {
  if (std::string folded = folded_name(name); !folded.empty()) out.insert(std::move(folded));
}

}  // namespace

FieldClasses::FieldClasses(const Settings& settings)
    : values_(settings.personal_values),
      exact_(KeyTable::Case::kIgnored),
      remembered_(KeyTable::Case::kExact) {
  const auto declare = [this](std::string_view name) {
    exact_.add(name, FieldClass::kPersonal);
    add_folded(name, personal_);
  };
  for (const auto key : kAmounts) exact_.add(key, FieldClass::kAmount);
  for (const auto& field : settings.personal_fields) declare(field);
  // Whatever names a person as an identifier is personal as a trait and a property as well.
  for (const auto& [trait, type_name] : settings.trait_identifiers) {
    const auto type = settings.find_type(type_name);
    if (type && settings.rule(*type).personal) declare(trait);
  }
  for (const auto& rule : settings.identifier_types) {
    if (rule.personal) declare(rule.name);
  }
  for (const auto& name : settings.personal_values.except) add_folded(name, excepted_);
}

bool FieldClasses::is_excepted(std::string_view name) const {
  return !excepted_.empty() && excepted_.contains(folded_name(name));
}

uint8_t FieldClasses::work_out(std::string_view key) const {
  uint8_t found = exact_.find(key);
  // A list of phone numbers may be called so; its trait has none.
  if (key.starts_with(list::kTraitPrefix)) return found;
  const std::string folded = folded_name(key);
  if (personal_.contains(folded)) found |= FieldClass::kPersonal;
  if (excepted_.contains(folded)) return found | FieldClass::kExcepted;
  if (values_.seals(personal_kind(key))) found |= FieldClass::kPersonalKey;
  const NameKind kind = name_kind(key);
  if (kind == NameKind::kPersonal && values_.names) found |= FieldClass::kPersonalName;
  if (kind == NameKind::kPlainNumber) found |= FieldClass::kPlainNumber;
  return found;
}

uint8_t FieldClasses::remember(std::string_view key) const {
  const uint8_t found = work_out(key);
  if (remembered_.size() == kRemembered) remembered_ = KeyTable(KeyTable::Case::kExact);
  remembered_.add_new(key, found | kKnown);
  return found;
}

}  // namespace kehu::fields
