#include "json/index.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "json/scan.h"

namespace kehu::json {

// One pass over the text with an explicit stack of the open containers. Written by hand, because the door needs
// three things at once that simdjson's faces give one of each: a verdict on every value, the source text of every
// value, and the byte where it broke. UTF-8 is simdjson's. Tested against simdjson's verdict (index_test.cc).
class IndexScanner {
 public:
  IndexScanner(Index& index, std::string_view text)
      : index_(index), begin_(text.data()), p_(text.data()), end_(text.data() + text.size()) {}

  bool run() {
    p_ = skip_space(p_, end_);
    bool ok = scan_value();
    while (ok && depth_ > 0) {
      p_ = skip_space(p_, end_);
      ok = open_node().kind == Kind::kObject ? scan_member() : scan_element();
    }
    if (!ok) return false;
    p_ = skip_space(p_, end_);
    return p_ == end_ || fail(p_, "nothing may follow the value");
  }

  SyntaxError error() const { return error_; }

 private:
  bool fail(const char* at, const char* what, SyntaxError::Code code = SyntaxError::Code::kSyntax) {
    error_ = SyntaxError{code, static_cast<size_t>(at - begin_), what};
    return false;
  }

  Index::Node& open_node() { return index_.nodes_[open_[depth_ - 1]]; }
  bool at(char c) const { return p_ < end_ && *p_ == c; }
  uint32_t offset(const char* p) const { return static_cast<uint32_t>(p - begin_); }

  // Behind "{" or behind a member.
  bool scan_member() {
    if (at('}')) return close();
    if (!first_) {
      if (!at(',')) return fail(p_, "a comma or } is missing");
      p_ = skip_space(p_ + 1, end_);
    }
    first_ = false;
    if (!at('"')) return fail(p_, "a key must be a string");
    if (!scan_string()) return false;
    index_.nodes_[index_.size_ - 1].is_key = true;
    p_ = skip_space(p_, end_);
    if (!at(':')) return fail(p_, "a colon is missing behind the key");
    p_ = skip_space(p_ + 1, end_);
    return scan_value();
  }

  bool scan_element() {
    if (at(']')) return close();
    if (!first_) {
      if (!at(',')) return fail(p_, "a comma or ] is missing");
      p_ = skip_space(p_ + 1, end_);
    }
    first_ = false;
    return scan_value();
  }

  bool scan_value() {
    if (p_ == end_) return fail(p_, "the text ends where a value is due");
    switch (*p_) {
      case '"': return scan_string();
      case '{': return open(Kind::kObject);
      case '[': return open(Kind::kArray);
      case 't': return scan_word("true", Kind::kBool);
      case 'f': return scan_word("false", Kind::kBool);
      case 'n': return scan_word("null", Kind::kNull);
      default: return scan_number();
    }
  }

  bool open(Kind kind) {
    if (depth_ == open_.size()) return fail(p_, "nested too deeply", SyntaxError::Code::kTooDeep);
    open_[depth_++] = index_.size_;
    index_.append(offset(p_++), kind);
    first_ = true;
    return true;
  }

  bool close() {
    Index::Node& node = open_node();
    node.size = offset(++p_) - node.begin;
    node.next = index_.size_;
    --depth_;
    first_ = false;
    return true;
  }

  bool finish_scalar(Index::Node& node) {
    node.size = offset(p_) - node.begin;
    node.next = index_.size_;
    return true;
  }

  bool scan_word(std::string_view word, Kind kind) {
    if (static_cast<size_t>(end_ - p_) < word.size() || std::memcmp(p_, word.data(), word.size()) != 0) {
      return fail(p_, "not a JSON value");
    }
    Index::Node& node = index_.append(offset(p_), kind);
    p_ += word.size();
    return finish_scalar(node);
  }

  bool scan_string() {
    Index::Node& node = index_.append(offset(p_), Kind::kString);
    for (++p_;;) {
      p_ = find_string_stop(p_, end_);
      if (p_ == end_) return fail(begin_ + node.begin, "the string has no closing quote");
      if (*p_ == '"') break;
      if (*p_ != '\\') return fail(p_, "a control character must be escaped");
      node.escaped = true;
      if (!scan_escape(node)) return false;
    }
    ++p_;
    return finish_scalar(node);
  }

  bool scan_escape(Index::Node& node) {
    if (end_ - p_ < 2) return fail(p_, "the string has no closing quote");
    const char letter = p_[1];
    if (letter == 'u') return scan_unicode_escape(node);
    // The terminating NUL of the literal is not among the letters.
    if (std::memchr("\"\\/bfnrt", letter, 8) == nullptr) return fail(p_, "not an escape sequence");
    p_ += 2;
    return true;
  }

  bool scan_unicode_escape(Index::Node& node) {
    const int unit = read_hex4(p_ + 2, end_);
    if (unit < 0) return fail(p_, "\\u needs four hexadecimal digits");
    p_ += 6;
    if (is_low_surrogate(unit)) node.lone_surrogate = true;
    if (!is_high_surrogate(unit)) return true;
    const bool pair = end_ - p_ >= 6 && p_[0] == '\\' && p_[1] == 'u' && is_low_surrogate(read_hex4(p_ + 2, end_));
    if (pair) {
      p_ += 6;
    } else {
      node.lone_surrogate = true;
    }
    return true;
  }

  const char* skip_digits(const char* p) const {
    while (p < end_ && is_digit(*p)) ++p;
    return p;
  }

  bool scan_number() {
    const char* p = p_;
    if (*p == '-') ++p;
    if (p == end_ || !is_digit(*p)) return fail(p_, "not a JSON value");
    const char* digits = p;
    p = skip_digits(p);
    if (*digits == '0' && p - digits > 1) return fail(digits, "a number must not begin with 0");
    if (p < end_ && *p == '.') {
      digits = ++p;
      p = skip_digits(p);
      if (p == digits) return fail(p, "a digit is missing behind the point");
    }
    if (p < end_ && (*p == 'e' || *p == 'E')) {
      ++p;
      if (p < end_ && (*p == '+' || *p == '-')) ++p;
      digits = p;
      p = skip_digits(p);
      if (p == digits) return fail(p, "a digit is missing in the exponent");
    }
    Index::Node& node = index_.append(offset(p_), Kind::kNumber);
    p_ = p;
    return finish_scalar(node);
  }

  Index& index_;
  const char* const begin_;
  const char* p_;
  const char* const end_;
  size_t depth_ = 0;
  bool first_ = false;  // nothing stands yet in the innermost open container
  std::array<uint32_t, limits::kJsonDepth> open_;
  SyntaxError error_;
};

std::string SyntaxError::to_string() const { return absl::StrCat("byte ", position, ": ", what); }

std::optional<SyntaxError> Index::scan(std::string_view text) {
  text_ = text;
  size_ = 0;
  if (text.size() > UINT32_MAX / 2) return SyntaxError{SyntaxError::Code::kTooLong, 0, "longer than 2 GiB"};
  if (!is_valid_utf8(text)) {
    return SyntaxError{SyntaxError::Code::kInvalidUtf8, valid_utf8_prefix(text), "not UTF-8"};
  }
  IndexScanner scanner(*this, text);
  if (scanner.run()) return std::nullopt;
  size_ = 0;
  return scanner.error();
}

Index::Node& Index::append(uint32_t begin, Kind kind) {
  if (size_ == capacity_) grow();
  Node& node = nodes_[size_++];
  node = Node{.begin = begin, .kind = kind};
  return node;
}

void Index::grow() {
  const uint32_t capacity = std::max<uint32_t>(64, capacity_ * 2);
  auto nodes = std::make_unique_for_overwrite<Node[]>(capacity);
  std::copy_n(nodes_.get(), size_, nodes.get());
  nodes_ = std::move(nodes);
  capacity_ = capacity;
}

}  // namespace kehu::json
