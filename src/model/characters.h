#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

// Characters of values that people, keyboards and spreadsheets wrote, one by one. Texts are UTF-8; a byte
// that is none stands for itself.
namespace kehu {

struct Character {
  char32_t point = 0;
  size_t bytes = 1;
};
// The first character of a text that is not empty.
Character first_character(std::string_view text);

// Seen by nobody and meant by nobody, wherever it stands: NUL, zero-width space, byte order mark, marks of
// writing direction, soft hyphen, word joiner. Not the two joiners U+200C and U+200D, which words and emoji
// are built with.
bool is_invisible(char32_t point);
// Of ASCII or of Latin-1: what commands a terminal, and no text needs but line ends and tabs.
inline bool is_control(char32_t point) { return point < 0x20 || (point >= 0x7f && point <= 0x9f); }
// White space of any width, and the control characters of ASCII.
bool is_blank(char32_t point);

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Without blanks, invisible characters and joiners at its ends.
std::string_view strip(std::string_view text);
// Printable ASCII alone, without a blank: nothing to fold or to drop. ~1 ns for eight bytes.
inline bool is_plain(std::string_view text) {
  constexpr uint64_t kOnes = 0x0101010101010101, kHigh = 0x8080808080808080;
  uint64_t odd = 0;
  const auto look = [&](size_t at) {
    uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    // A byte of the word is below 0x21, or it is 0x7f or more.
    odd |= (word | (word - kOnes * 0x21) | (word + kOnes)) & kHigh;
  };
  if (text.size() < 8) {
    for (const char c : text) odd |= c <= ' ' || c == '\x7f';
    return odd == 0;
  }
  for (size_t at = 0; at + 8 < text.size(); at += 8) look(at);
  look(text.size() - 8);
  return odd == 0;
}

std::string without_invisible(std::string_view text);
// Full-width forms U+FF01..U+FF5E are ASCII plus 0xFEE0; Chinese input methods write digits, @ and X so.
std::string fold_width(std::string_view text);
std::string lowercase(std::string_view text);  // ASCII's letters

// * stands for any run, ? for any one character. At most |pattern| * |text| steps.
bool matches(std::string_view pattern, std::string_view text);

}  // namespace kehu
