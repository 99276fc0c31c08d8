#include "json/splitter.h"

#include <algorithm>

#include "base/limits.h"
#include "json/scan.h"

namespace kehu::json {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr size_t kHeldBytes = limits::kEventBytes + 2;  // with the line's own end

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

bool Splitter::next(Piece& piece) {
  if (emitted_) {
    held_.clear();
    emitted_ = false;
  }
  if (mode_ == Mode::kStart) start();
  switch (mode_) {
    case Mode::kStart:
      return false;
    case Mode::kLines:
      return next_line(piece);
    case Mode::kArray:
      return next_element(piece);
    case Mode::kDone:
      return next_behind(piece);
  }
  return false;
}

// Windows programs begin text files with a byte order mark. Its three bytes may come in two chunks.
void Splitter::skip_byte_order_mark() {
  while (size_ < kByteOrderMark.size() && !rest_.empty() && rest_.front() == kByteOrderMark[size_]) {
    rest_.remove_prefix(1);
    ++size_;
  }
  const bool partial = size_ > 0 && size_ < kByteOrderMark.size();
  if (partial && (!rest_.empty() || finished_)) {
    keep(kByteOrderMark.substr(0, size_));
    mode_ = Mode::kLines;
  }
}

void Splitter::start() {
  if (size_ < kByteOrderMark.size()) skip_byte_order_mark();
  if (mode_ != Mode::kStart) {
    size_ = held_.size();
    return;
  }
  while (!rest_.empty() && is_space(rest_.front())) {
    number_ += rest_.front() == '\n' ? 1 : 0;
    rest_.remove_prefix(1);
    size_ = kByteOrderMark.size();
  }
  if (rest_.empty()) return;
  size_ = 0;
  mode_ = rest_.front() == '[' ? Mode::kArray : Mode::kLines;
  if (mode_ == Mode::kArray) {
    rest_.remove_prefix(1);
    number_ = 0;
  }
}

// Keeps the beginning of an event that goes on in the next chunk, up to the largest that is taken. Beyond,
// only its size is counted, so a body of any size needs the memory of one event.
void Splitter::keep(std::string_view part) {
  const size_t room = kHeldBytes - std::min(held_.size(), kHeldBytes);
  held_.append(part.substr(0, room));
  size_ += part.size();
}

// Hands out the event in work, which ends after `size` bytes of rest_. An event that lies within one chunk
// is a view into it and is not copied; only one that began in an earlier chunk is put together.
void Splitter::cut(size_t size, Piece& piece) {
  const std::string_view part = rest_.substr(0, size);
  std::string_view text = part;
  if (size_ == 0) {
    size_ = part.size();
  } else {
    keep(part);
    text = held_;
  }
  emit(piece, Shape::kWhole, text);
}

void Splitter::emit(Piece& piece, Shape shape, std::string_view text) {
  const bool large = size_ > kHeldBytes;
  piece.shape = large ? Shape::kTooLarge : shape;
  piece.text = large ? text.substr(0, limits::kEventBytes) : trimmed(text);
  piece.number = number_;
  piece.size = size_;
  size_ = 0;
  emitted_ = true;
}

bool Splitter::next_line(Piece& piece) {
  while (true) {
    const size_t end = rest_.find('\n');
    if (end == rest_.npos && !finished_) {
      keep(rest_);
      rest_ = {};
      return false;
    }
    if (end == rest_.npos && rest_.empty() && size_ == 0) return false;
    ++number_;
    const size_t size = std::min(end, rest_.size());
    cut(size, piece);
    rest_.remove_prefix(std::min(size + 1, rest_.size()));
    if (!piece.text.empty()) return true;
    held_.clear();
    emitted_ = false;
  }
}

// Gives the bytes of rest_ up to the comma or bracket behind the element in work; rest_.size() when it
// goes on. The state between chunks is three values (in a string, behind a backslash, depth), so a chunk
// may end anywhere and no byte is searched twice. A line break ends a string, which none may contain
// unescaped: so a missing quote breaks one element and not all that follow.
size_t Splitter::find_element_end() {
  const char* const begin = rest_.data();
  const char* const end = begin + rest_.size();
  const char* p = begin;
  while (p < end) {
    if (escaped_) {
      escaped_ = false;
      ++p;
    } else if (in_string_) {
      p = find_string_stop(p, end);
      if (p == end) break;
      escaped_ = *p == '\\';
      in_string_ = *p != '"' && *p != '\n';
      ++p;
    } else {
      const char c = *p;
      if (depth_ == 0 && (c == ',' || c == ']')) break;
      in_string_ = c == '"';
      if (c == '{' || c == '[') ++depth_;
      if ((c == '}' || c == ']') && depth_ > 0) --depth_;
      ++p;
    }
  }
  return static_cast<size_t>(p - begin);
}

// An element goes to the reader whatever is in it; only the reader says what is wrong, with the element's
// number. So a broken one costs that one event and not the whole body.
bool Splitter::next_element(Piece& piece) {
  const size_t end = find_element_end();
  if (end == rest_.size()) {
    keep(rest_);
    rest_ = {};
    if (!finished_) return false;
    mode_ = Mode::kDone;
    rest_ = {};
    ++number_;
    emit(piece, Shape::kUnclosed, held_);
    return true;
  }
  const bool last = rest_[end] == ']';
  cut(end, piece);
  rest_.remove_prefix(end + 1);
  if (last) mode_ = Mode::kDone;
  // "[]" has no element; any other empty place between commas is one that is broken.
  if (last && piece.text.empty() && number_ == 0) return next_behind(piece);
  piece.number = ++number_;
  return true;
}

bool Splitter::next_behind(Piece& piece) {
  if (emitted_) {
    held_.clear();
    emitted_ = false;
  }
  while (size_ == 0 && !rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
  keep(rest_);
  rest_ = {};
  if (!finished_ || size_ == 0) return false;
  ++number_;
  emit(piece, Shape::kBehindTheEnd, held_);
  return true;
}

}  // namespace kehu::json
