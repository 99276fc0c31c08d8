#include "json/document.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace kehu::json {

std::optional<std::string> Value::as_string() const {
  if (!is_string()) return std::nullopt;
  std::string scratch;
  return std::string(raw_value().as_string(scratch));
}

size_t Value::size() const {
  size_t count = 0;
  for (Iterator i = begin(); !(i == end()); ++i) ++count;
  return count;
}

// Goes on behind the first match, because of a repeated key the last one counts, here as everywhere. Each
// node knows the one behind its value, so members are stepped over whole.
Value Value::find(std::string_view key) const {
  Value found;
  if (!is_object()) return found;
  std::string scratch;
  const uint32_t stop = node().next;
  for (uint32_t at = at_ + 1; at < stop; at = (*index_)[at + 1].next) {
    if (index_->text_of((*index_)[at], scratch) == key) found = Value(index_, at + 1);
  }
  return found;
}

Value Value::at(size_t position) const {
  if (!is_array()) return Value();
  const uint32_t stop = node().next;
  for (uint32_t at = at_ + 1; at < stop; at = (*index_)[at].next) {
    if (position-- == 0) return Value(index_, at);
  }
  return Value();
}

Value::Iterator Value::begin() const { return Iterator(index_, is_container() ? at_ + 1 : 0); }

Value::Iterator Value::end() const { return Iterator(index_, is_container() ? node().next : 0); }

Value::Member Value::Iterator::operator*() const {
  const Index::Node& node = (*index_)[at_];
  if (!node.is_key) return Member{"", Value(index_, at_)};
  std::string scratch;
  return Member{std::string(index_->text_of(node, scratch)), Value(index_, at_ + 1)};
}

Value::Iterator& Value::Iterator::operator++() {
  const Index::Node& node = (*index_)[at_];
  at_ = node.is_key ? (*index_)[at_ + 1].next : node.next;
  return *this;
}

absl::StatusOr<Document> Document::parse(std::string_view text) {
  auto parsed = std::make_unique<Parsed>();
  parsed->text = std::string(text);
  if (const auto error = parsed->index.scan(parsed->text)) {
    return absl::InvalidArgumentError(absl::StrCat("invalid JSON at ", error->to_string()));
  }
  Document document;
  document.parsed_ = std::move(parsed);
  return document;
}

}  // namespace kehu::json
