#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/limits.h"
#include "json/structurals.h"
#include "json/text.h"

namespace kehu::json {

struct SyntaxError {
  enum class Code : uint8_t { kSyntax, kInvalidUtf8, kTooDeep, kTooLong };
  Code code = Code::kSyntax;
  size_t position = 0;    // byte of the text, from 0
  const char* what = "";  // what was wrong there, e.g. "a comma or ] is missing"

  std::string to_string() const;  // "byte 17: a comma or ] is missing"
};

// The places of all values of one JSON text, in the order of the text: the door's view of a request body. One
// scan validates everything (grammar, numbers, escapes, UTF-8, depth) without recursion, and later steps pick
// values by position without looking at the bytes between them.
//
// An index is reused from text to text and allocates only when a text has more values than any before. It
// refers to the text of its last successful scan, which the caller keeps alive. One thread. ~0.5 ns a byte.
class Index {
 public:
  struct Node {
    uint32_t begin = 0;  // of the value's text; at the quote of a string
    uint32_t size = 0;   // of the value's text, quotes and brackets included
    uint32_t next = 0;   // node after this value and all in it
    Kind kind = Kind::kNull;
    bool is_key = false;          // the node after a key is its value
    bool escaped = false;         // a string with a backslash
    bool lone_surrogate = false;  // a string with an escape that is half a character
  };

  // nullopt when the text is one valid JSON value; else the index is empty.
  std::optional<SyntaxError> scan(std::string_view text);
  void clear() { size_ = 0; }

  std::string_view text() const { return text_; }
  uint32_t size() const { return size_; }
  const Node& operator[](uint32_t i) const { return nodes_[i]; }

  std::string_view raw(const Node& node) const { return {text_.data() + node.begin, node.size}; }
  RawValue value(const Node& node) const { return {node.kind, raw(node)}; }
  // Of a string or key without escapes: the characters between the quotes.
  std::string_view inner(const Node& node) const { return {text_.data() + node.begin + 1, node.size - 2}; }
  // Of any string or key: a view into the text, or of what has escapes into `scratch`.
  std::string_view text_of(const Node& node, std::string& scratch) const {
    return node.escaped ? unescape(raw(node), scratch) : inner(node);
  }

 private:
  friend class IndexScanner;
  bool walk(std::string_view text);
  Node& append(uint32_t begin, Kind kind);
  void grow(uint32_t capacity);

  Structurals structurals_;

  std::string_view text_;
  std::unique_ptr<Node[]> nodes_;
  uint32_t size_ = 0;
  uint32_t capacity_ = 0;
};

}  // namespace kehu::json
