#pragma once

#include <charconv>
#include <concepts>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace kehu {

// A piece of a message: text or an integer. (Debian's Abseil has its own string_view, which does not take
// std::string_view; this header is where the two meet.)
class TextPiece {
 public:
  TextPiece(std::string_view text) : text_(text) {}
  TextPiece(const std::string& text) : text_(text) {}
  TextPiece(const char* text) : text_(text) {}
  TextPiece(char c) : size_(1) { digits_[0] = c; }
  TextPiece(std::integral auto number) {
    size_ = static_cast<size_t>(std::to_chars(digits_, digits_ + sizeof(digits_), number).ptr - digits_);
  }
  std::string_view view() const { return size_ > 0 ? std::string_view(digits_, size_) : text_; }

 private:
  std::string_view text_;
  char digits_[24];
  size_t size_ = 0;
};

template <class... Pieces>
std::string cat(const Pieces&... pieces) {
  std::string out;
  (out.append(TextPiece(pieces).view()), ...);
  return out;
}

inline absl::string_view to_absl(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view to_std(absl::string_view text) { return {text.data(), text.size()}; }

// The longest beginning of at most `bytes_max` bytes that ends between two characters of UTF-8.
inline std::string_view cut_utf8(std::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  while (bytes_max > 0 && (static_cast<unsigned char>(text[bytes_max]) & 0xc0) == 0x80) --bytes_max;
  return text.substr(0, bytes_max);
}

// Without blanks and tabs at its ends.
inline std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// A status of `code` whose message is the pieces joined: failure(absl::StatusCode::kNotFound, "no file ",
// path).
template <class... Pieces>
absl::Status failure(absl::StatusCode code, const Pieces&... pieces) {
  return absl::Status(code, cat(pieces...));
}

inline std::string message_of(const absl::Status& status) { return std::string(status.message()); }

}  // namespace kehu
