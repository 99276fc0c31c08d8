#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "json/index.h"
#include "json/text.h"

namespace kehu::json {

// A value of a Document: a cheap handle, valid as long as the document. A default one is "missing", which
// behaves like null and has no members, so look-ups can be chained:
// document.root().find("a").find("b").as_int().
class Value {
 public:
  Value() = default;
  // The value at a node of an index that the caller keeps alive.
  static Value in(const Index& index, uint32_t node) { return Value(&index, node); }

  bool exists() const { return index_ != nullptr; }
  Kind kind() const { return exists() ? node().kind : Kind::kNull; }
  bool is_null() const { return kind() == Kind::kNull; }
  bool is_bool() const { return kind() == Kind::kBool; }
  bool is_number() const { return kind() == Kind::kNumber; }
  bool is_string() const { return kind() == Kind::kString; }
  bool is_array() const { return kind() == Kind::kArray; }
  bool is_object() const { return kind() == Kind::kObject; }

  // As written, e.g. for Decimal::parse; empty when missing.
  std::string_view raw() const { return exists() ? index_->raw(node()) : std::string_view(); }
  std::optional<bool> as_bool() const { return raw_value().as_bool(); }
  std::optional<int64_t> as_int() const { return raw_value().as_int(); }
  std::optional<double> as_double() const { return raw_value().as_double(); }
  std::optional<std::string> as_string() const;

  // Members of an object or elements of an array; 0 for others. Linear.
  size_t size() const;
  // The last member of this name; missing when there is none. Linear.
  Value find(std::string_view key) const;
  // Element of an array; missing when there is none. Linear: walk an array with a loop instead.
  Value at(size_t position) const;

  struct Member;
  class Iterator;
  // Over members or elements: for (const json::Value::Member& m : value) … m.key, m.value. The key of an
  // element is empty.
  Iterator begin() const;
  Iterator end() const;

 private:
  friend class Document;
  Value(const Index* index, uint32_t at) : index_(index), at_(at) {}
  const Index::Node& node() const { return (*index_)[at_]; }
  RawValue raw_value() const { return exists() ? index_->value(node()) : RawValue(); }
  bool is_container() const { return is_array() || is_object(); }

  const Index* index_ = nullptr;
  uint32_t at_ = 0;
};

struct Value::Member {
  std::string key;
  Value value;
};

class Value::Iterator {
 public:
  Member operator*() const;
  Iterator& operator++();
  bool operator==(const Iterator& other) const { return at_ == other.at_; }

 private:
  friend class Value;
  Iterator(const Index* index, uint32_t at) : index_(index), at_(at) {}
  const Index* index_;
  uint32_t at_;
};

// A parsed JSON text: immutable, movable, safe to read from many threads. For settings, API bodies and tests;
// the hot path uses Index and FieldReader.
class Document {
 public:
  // Keeps a copy of the text. Errors are kInvalidArgument and say the byte position and what was wrong there.
  static absl::StatusOr<Document> parse(std::string_view text);

  Value root() const { return Value(&parsed_->index, 0); }

 private:
  struct Parsed {
    std::string text;
    Index index;
  };
  std::unique_ptr<const Parsed> parsed_;
};

}  // namespace kehu::json
