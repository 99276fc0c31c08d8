#include "profile/trait_reader.h"

#include "base/text.h"
#include "json/fields.h"
#include "profile/sections.h"

namespace kehu::profile {

void TraitReader::open(absl::Span<const std::string_view> parts) {
  parts_ = parts;
  is_read_ = false;
}

// Steps of traits are settled behind the merge of all parts, as Folder::merge does it.
bool TraitReader::read() {
  pool_.clear();
  traits_.read({});
  steps_.read({});
  for (size_t i = 0; i < parts_.size(); ++i) {
    Sections sections;
    if (!sections.split(parts_[i])) return false;
    Traits& traits = i == 0 ? traits_ : other_traits_;
    TraitSteps& steps = i == 0 ? steps_ : other_steps_;
    if (!traits.read(sections[SectionId::kTraits]) || !steps.read(sections[SectionId::kTraitSteps]))
      return false;
    if (i == 0) continue;
    traits_.merge(other_traits_);
    steps_.merge(other_steps_);
  }
  if (parts_.size() > 1) steps_.settle(traits_, pool_);
  return true;
}

std::optional<TraitValue> TraitReader::value(std::string_view name) {
  if (!is_read_) {
    is_read_ = true;
    is_sound_ = read();
  }
  if (!is_sound_) return std::nullopt;
  const NameId id = name_id(name);
  return value_of(traits_.find(id), steps_.of(id), steps_.cleared());
}

std::optional<Stamp> TraitReader::stamp(std::string_view name) {
  const auto value = this->value(name);
  return value ? std::optional(value->stamp) : std::nullopt;
}

std::optional<json::RawValue> TraitReader::find(std::string_view path) {
  const size_t dot = path.find('.');
  auto value = this->value(path.substr(0, dot));
  if (!value) return std::nullopt;
  value_ = std::move(value->text);
  // A member of a list of one, so that one reader of fields serves plain values and objects.
  const std::string wrapped = "[" + value_ + "]";
  json::FieldReader reader(wrapped);
  json::Field field;
  if (!reader.next(field)) return std::nullopt;
  const auto offset = static_cast<size_t>(field.value.raw.data() - wrapped.data()) - 1;
  json::RawValue raw{field.value.kind, std::string_view(value_).substr(offset, field.value.raw.size())};
  if (dot == path.npos) return raw;
  const auto parsed = json::FieldPath::parse(path.substr(dot + 1));
  std::optional<json::RawValue> found;
  if (parsed.ok()) parsed->visit(raw.raw, [&](const json::RawValue& each) { found = each; });
  return found;
}

// As an object of this one trait, so that the whole path is read by one reader of paths.
void TraitReader::each(std::string_view path, absl::FunctionRef<void(const json::RawValue& value)> visit) {
  const std::string_view name = path.substr(0, path.find_first_of(".["));
  const auto value = this->value(name);
  const auto parsed = json::FieldPath::parse(path);
  if (!value || !parsed.ok()) return;
  value_ = "{";
  json::append_literal(name, value_);
  value_ += cat(":", value->text, "}");
  parsed->visit(value_, visit);
}

}  // namespace kehu::profile
