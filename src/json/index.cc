#include "json/index.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "json/scan.h"

#define KEHU_INLINE inline __attribute__((always_inline))

namespace kehu::json {
namespace {

// Sets the flags of the string literal; false when an escape in it is none. p stands at a backslash.
bool check_escape(const char*& p, const char* end, Index::Node& node) {
  if (end - p < 2) return false;
  if (p[1] != 'u') {
    if (std::string_view("\"\\/bfnrt").find(p[1]) == std::string_view::npos) return false;
    p += 2;
    return true;
  }
  const int unit = read_hex4(p + 2, end);
  if (unit < 0) return false;
  p += 6;
  if (is_low_surrogate(unit)) node.lone_surrogate = true;
  if (!is_high_surrogate(unit)) return true;
  const bool pair = end - p >= 6 && p[0] == '\\' && p[1] == 'u' && is_low_surrogate(read_hex4(p + 2, end));
  if (pair) {
    p += 6;
  } else {
    node.lone_surrogate = true;
  }
  return true;
}

// Checks the escapes of a string from its first backslash on.
bool check_escapes(std::string_view text, Index::Node& node) {
  node.escaped = true;
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p < end) {
    if (!check_escape(p, end, node)) return false;
    p = std::find(p, end, '\\');
  }
  return true;
}

struct Number {
  const char* stop;  // behind the number, or where it broke
  bool ok;
};

const char* skip_digits(const char* p, const char* end) {
  while (p < end && is_digit(*p)) ++p;
  return p;
}

Number skip_number(const char* p, const char* end) {
  if (p < end && *p == '-') ++p;
  const char* digits = p;
  p = skip_digits(p, end);
  if (p == digits || (*digits == '0' && p - digits > 1)) return {digits, false};
  if (p < end && *p == '.') {
    digits = p + 1;
    p = skip_digits(digits, end);
    if (p == digits) return {p, false};
  }
  if (p < end && (*p == 'e' || *p == 'E')) {
    digits = p + 1;
    if (digits < end && (*digits == '+' || *digits == '-')) ++digits;
    p = skip_digits(digits, end);
    if (p == digits) return {p, false};
  }
  return {p, true};
}

}  // namespace

// The quick way: walks from token to token by simdjson's offsets and touches the bytes between them only
// where there is something to check. It accepts exactly what IndexScanner accepts, and does not say why
// not. It is inlined into one loop by force: its counters then live in registers, which makes it twice as
// fast. Backslashes are rare, so the next one is looked up once, and all strings before it are known to
// have none.
class IndexWalker {
 public:
  IndexWalker(Index::Node* nodes, std::string_view text, absl::Span<const uint32_t> tokens)
      : nodes_(nodes),
        text_(text.data()),
        size_(static_cast<uint32_t>(text.size())),
        token_(tokens.data()),
        last_(tokens.data() + tokens.size() - 1),
        backslash_(find_backslash(text, 0)) {}

  // Gives the number of nodes written; 0 when the text is no JSON value. What is open is kept in an array
  // and not on the machine's stack, so depth is bounded by limits::kJsonDepth and costs no call.
  KEHU_INLINE uint32_t run() {
    if (!value()) return 0;
    while (depth_ > 0) {
      if (!(in_object_ ? member() : element())) return 0;
    }
    return token_ == last_ ? count_ : 0;
  }

 private:
  // Gives the first character of the token to read next; 0 behind the last one.
  KEHU_INLINE char next() const { return token_ < last_ ? text_[*token_] : '\0'; }

  KEHU_INLINE bool comma() {
    if (first_) {
      first_ = false;
      return true;
    }
    return next() == ',' && (++token_, true);
  }

  KEHU_INLINE bool member() {
    if (next() == '}') return close();
    if (!comma() || next() != '"' || !string(true)) return false;
    if (next() != ':') return false;
    ++token_;
    return value();
  }

  KEHU_INLINE bool element() {
    if (next() == ']') return close();
    return comma() && value();
  }

  KEHU_INLINE bool value() {
    switch (next()) {
      case '"':
        return string(false);
      case '{':
        return open(Kind::kObject);
      case '[':
        return open(Kind::kArray);
      case 't':
        return word("true", Kind::kBool);
      case 'f':
        return word("false", Kind::kBool);
      case 'n':
        return word("null", Kind::kNull);
      default:
        return token_ < last_ && number();
    }
  }

  KEHU_INLINE bool open(Kind kind) {
    if (depth_ == open_.size()) return false;
    open_[depth_++] = count_;
    nodes_[count_++] = Index::Node{.begin = *token_++, .kind = kind};
    in_object_ = kind == Kind::kObject;
    first_ = true;
    return true;
  }

  KEHU_INLINE bool close() {
    Index::Node& node = nodes_[open_[--depth_]];
    node.size = *token_++ + 1 - node.begin;
    node.next = count_;
    in_object_ = depth_ > 0 && nodes_[open_[depth_ - 1]].kind == Kind::kObject;
    first_ = false;
    return true;
  }

  // Between a token and the one behind it there is nothing but the token and space, so the closing quote
  // is found from behind, and the characters of the string are not looked at.
  KEHU_INLINE bool string(bool is_key) {
    const uint32_t begin = *token_++;
    uint32_t end = *token_;
    while (is_space(text_[end - 1])) --end;
    if (end - begin < 2 || text_[end - 1] != '"') return false;
    Index::Node& node = nodes_[count_++];
    node = Index::Node{
        .begin = begin, .size = end - begin, .next = count_, .kind = Kind::kString, .is_key = is_key};
    if (backslash_ >= end) return true;
    const std::string_view text(text_, size_);
    if (!check_escapes(text.substr(backslash_, end - 1 - backslash_), node)) return false;
    backslash_ = find_backslash(text, end);
    return true;
  }

  static uint32_t find_backslash(std::string_view text, uint32_t from) {
    return static_cast<uint32_t>(std::min(text.find('\\', from), text.size()));
  }

  KEHU_INLINE bool word(std::string_view word, Kind kind) {
    const uint32_t begin = *token_++;
    const bool same =
        size_ - begin >= word.size() && std::memcmp(text_ + begin, word.data(), word.size()) == 0;
    return same && scalar(begin, begin + static_cast<uint32_t>(word.size()), kind);
  }

  KEHU_INLINE bool number() {
    const uint32_t begin = *token_++;
    const auto number = skip_number(text_ + begin, text_ + size_);
    return number.ok && scalar(begin, static_cast<uint32_t>(number.stop - text_), Kind::kNumber);
  }

  KEHU_INLINE bool scalar(uint32_t begin, uint32_t end, Kind kind) {
    Index::Node& node = nodes_[count_++];
    node = Index::Node{.begin = begin, .size = end - begin, .next = count_, .kind = kind};
    return end == *token_ || is_space(text_[end]);
  }

  Index::Node* const nodes_;
  const char* const text_;
  const uint32_t size_;
  const uint32_t* token_;
  const uint32_t* const last_;
  uint32_t backslash_;  // the first one not yet passed; size_ when there is none
  uint32_t count_ = 0;
  size_t depth_ = 0;
  bool in_object_ = false;
  bool first_ = false;  // nothing stands yet in the innermost open container
  std::array<uint32_t, limits::kJsonDepth> open_;
};

// The careful way, byte by byte with an explicit stack: it says where and why a text is no JSON.
// Everything that the quick way refuses comes here, so its verdict is the one that counts, and a fault of
// the quick way that refuses too much would cost time only.
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

  // Begins behind "{" or behind a member.
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
      case '"':
        return scan_string();
      case '{':
        return open(Kind::kObject);
      case '[':
        return open(Kind::kArray);
      case 't':
        return scan_word("true", Kind::kBool);
      case 'f':
        return scan_word("false", Kind::kBool);
      case 'n':
        return scan_word("null", Kind::kNull);
      default:
        return scan_number();
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
      if (!check_escape(p_, end_, node)) return fail(p_, "not an escape sequence");
    }
    ++p_;
    return finish_scalar(node);
  }

  bool scan_number() {
    if (*p_ != '-' && !is_digit(*p_)) return fail(p_, "not a JSON value");
    const Number number = skip_number(p_, end_);
    if (!number.ok) return fail(number.stop, "not a number as JSON writes them");
    Index::Node& node = index_.append(offset(p_), Kind::kNumber);
    p_ = number.stop;
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

// A text that the quick way refuses is read again to find out why. That costs only those who send broken
// JSON, and keeps positions and reasons out of the loop that everybody runs.
std::optional<SyntaxError> Index::scan(std::string_view text) {
  text_ = text;
  size_ = 0;
  if (text.size() > UINT32_MAX / 2) return SyntaxError{SyntaxError::Code::kTooLong, 0, "longer than 2 GiB"};
  if (walk(text)) return std::nullopt;
  if (!is_valid_utf8(text)) {
    return SyntaxError{SyntaxError::Code::kInvalidUtf8, valid_utf8_prefix(text), "not UTF-8"};
  }
  IndexScanner scanner(*this, text);
  if (scanner.run()) return std::nullopt;
  size_ = 0;
  return scanner.error();
}

bool Index::walk(std::string_view text) {
  const auto tokens = structurals_.find(text);
  if (tokens.size() < 2) return false;
  // Every token makes one value at most.
  if (capacity_ < tokens.size()) grow(static_cast<uint32_t>(tokens.size()));
  size_ = IndexWalker(nodes_.get(), text, tokens).run();
  return size_ > 0;
}

Index::Node& Index::append(uint32_t begin, Kind kind) {
  if (size_ == capacity_) grow(std::max<uint32_t>(64, capacity_ * 2));
  Node& node = nodes_[size_++];
  node = Node{.begin = begin, .kind = kind};
  return node;
}

void Index::grow(uint32_t capacity) {
  auto nodes = std::make_unique_for_overwrite<Node[]>(capacity);
  std::copy_n(nodes_.get(), size_, nodes.get());
  nodes_ = std::move(nodes);
  capacity_ = capacity;
}

}  // namespace kehu::json
