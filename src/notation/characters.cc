#include "notation/characters.h"

#include <algorithm>
#include <array>

namespace kehu::notation {
namespace {

struct Range {
  char32_t first, last;
};

// What is no letter beyond ASCII: signs, punctuation, blanks, pictures, private use.
constexpr std::array kSigns = {Range{0x80, 0xa9},     Range{0xab, 0xb4},       Range{0xb6, 0xb9},
                               Range{0xbb, 0xbf},     Range{0xd7, 0xd7},       Range{0xf7, 0xf7},
                               Range{0x1680, 0x1680}, Range{0x2000, 0x2bff},   Range{0x3000, 0x3004},
                               Range{0x3008, 0x3030}, Range{0x30fb, 0x30fb},   Range{0xd800, 0xf8ff},
                               Range{0xfe00, 0xfe6f}, Range{0xfeff, 0xfeff},   Range{0xff01, 0xff0f},
                               Range{0xff1a, 0xff20}, Range{0xff3b, 0xff40},   Range{0xff5b, 0xff65},
                               Range{0xffe0, 0xffff}, Range{0x1f000, 0x1faff}, Range{0xe0000, 0x10ffff}};

constexpr char32_t kIdeographicBlank = 0x3000;

char32_t plain(char32_t c) {
  if (c >= 0xff01 && c <= 0xff5e) return c - 0xfee0;
  switch (c) {
    case kIdeographicBlank:
    case 0xa0:
    case 0xfeff:
      return ' ';
    case 0x3001:  // 、
      return ',';
    default:
      return c;
  }
}

}  // namespace

Character character_at(std::string_view text, size_t at) {
  if (at >= text.size()) return {};
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1};
  const size_t bytes = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  char32_t code = first & (0x7fU >> bytes);
  for (size_t i = 1; i < bytes; ++i) code = code << 6 | (byte(i) & 0x3fU);
  return {plain(code), bytes};
}

void append_utf8(char32_t code, std::string& out) {
  const auto push = [&](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) return push(code);
  if (code < 0x800) {
    push(0xc0 | code >> 6);
  } else if (code < 0x10000) {
    push(0xe0 | code >> 12);
    push(0x80 | (code >> 6 & 0x3f));
  } else {
    push(0xf0 | code >> 18);
    push(0x80 | (code >> 12 & 0x3f));
    push(0x80 | (code >> 6 & 0x3f));
  }
  push(0x80 | (code & 0x3f));
}

bool is_digit(char32_t c) { return c >= '0' && c <= '9'; }

bool is_letter(char32_t c) {
  if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  return std::ranges::none_of(kSigns, [c](Range range) { return c >= range.first && c <= range.last; });
}

bool is_blank(char32_t c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace kehu::notation
