#include "toml/section.h"

#include <algorithm>

#include "base/text.h"
#include "text/near_word.h"

namespace kehu::toml {

void Errors::add(const toml::source_position& where, std::string_view message) {
  if (any()) return;
  status_ =
      failure(absl::StatusCode::kInvalidArgument, file_, ":", where.line, ":", where.column, ": ", message);
}

void Section::fail(const toml::node& where, std::string_view message) const {
  errors_.add(where, name_.empty() ? std::string(message) : cat("[", name_, "] ", message));
}

void Section::allow(const std::vector<std::string>& keys) const {
  for (const auto& [key, node] : table_) {
    const std::string_view word = key.str();
    if (std::find(keys.begin(), keys.end(), word) != keys.end()) continue;
    const std::string hint = text::did_you_mean(word, keys);
    const std::string rest = hint.empty() ? cat("; known here: ", text::list_of(keys, 24)) : hint;
    errors_.add(key.source().begin,
                cat(name_.empty() ? "" : cat("[", name_, "] "), "unknown key \"", word, "\"", rest));
  }
}

std::optional<std::string> Section::text(std::string_view key) const {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (const auto* value = node->as_string()) return value->get();
  fail(*node, cat(key, ": a text in quotes is expected"));
  return std::nullopt;
}

std::optional<bool> Section::flag(std::string_view key) const {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (const auto* value = node->as_boolean()) return value->get();
  fail(*node, cat(key, ": true or false is expected"));
  return std::nullopt;
}

std::optional<double> Section::number(std::string_view key) const {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (const auto value = node->value<double>(); value && node->is_number()) return *value;
  fail(*node, cat(key, ": a number is expected"));
  return std::nullopt;
}

std::vector<std::string> Section::texts(std::string_view key) const {
  const toml::node* node = find(key);
  if (node == nullptr) return {};
  if (const auto* one = node->as_string()) return {one->get()};
  std::vector<std::string> out;
  if (const auto* list = node->as_array()) {
    for (const toml::node& element : *list) {
      if (const auto* text = element.as_string()) {
        out.push_back(text->get());
      } else {
        fail(element, cat(key, ": a text in quotes is expected"));
      }
    }
    if (!out.empty()) return out;
  }
  fail(*node, cat(key, ": a list of texts is expected, such as [\"a\", \"b\"]"));
  return {};
}

std::optional<char> Section::character(std::string_view key) const {
  const auto value = text(key);
  if (!value) return std::nullopt;
  if (value->size() == 1) return value->front();
  fail(*find(key), cat(key, ": one ASCII character is expected, such as \";\" or \"\\t\""));
  return std::nullopt;
}

const toml::table* Section::table(std::string_view key) const {
  const toml::node* node = find(key);
  if (node == nullptr) return nullptr;
  if (const auto* value = node->as_table()) return value;
  fail(*node, cat(key, ": a table is expected"));
  return nullptr;
}

}  // namespace kehu::toml
