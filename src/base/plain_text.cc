#include "base/plain_text.h"

#include <cstdint>

namespace kehu {
namespace {

struct Character {
  uint32_t code = 0;
  size_t size = 1;  // bytes
};

// Decodes what two and three bytes hold, where all that is folded lies; other bytes pass one by one.
Character next_character(std::string_view text) {
  const auto byte = [&text](size_t i) { return static_cast<uint8_t>(text[i]); };
  const auto continues = [&](size_t i) { return i < text.size() && (byte(i) & 0xc0) == 0x80; };
  if ((byte(0) & 0xe0) == 0xc0 && continues(1))
    return {static_cast<uint32_t>((byte(0) & 0x1f) << 6 | (byte(1) & 0x3f)), 2};
  if ((byte(0) & 0xf0) == 0xe0 && continues(1) && continues(2)) {
    return {static_cast<uint32_t>((byte(0) & 0x0f) << 12 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f)), 3};
  }
  return {byte(0), 1};
}

bool is_blank(uint32_t code) {
  return code == 0xa0 || (code >= 0x2000 && code <= 0x200a) || code == 0x202f || code == 0x205f ||
         code == 0x3000 || code == 0x1680;
}

bool is_invisible(uint32_t code) {
  return code == 0xad || (code >= 0x200b && code <= 0x200f) || (code >= 0x202a && code <= 0x202e) ||
         (code >= 0x2060 && code <= 0x2064) || (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

bool is_minus(uint32_t code) { return code == 0x2212 || code == 0x2010 || code == 0x2011 || code == 0xfe63; }

void push_ascii(char c, std::string& out) {
  if (c >= 'A' && c <= 'Z') {
    out.push_back(static_cast<char>(c - 'A' + 'a'));
  } else if (c != ' ' && (c < '\t' || c > '\r')) {
    out.push_back(c);
  } else if (!out.empty()) {
    out.push_back(' ');
  }
}

}  // namespace

// There is no table of Unicode: only characters that people type for the same thing without seeing a
// difference are made one. Everything else stays as it is, bytes that are not UTF-8 included.
std::string fold_text(std::string_view text) {
  constexpr uint32_t kFullWidth = 0xfee0;  // ahead of ASCII
  std::string out;
  while (!text.empty()) {
    const auto [code, size] = next_character(text);
    if (size == 1) {
      push_ascii(text[0], out);
    } else if (code > 0xff00 && code < 0xff5f) {
      push_ascii(static_cast<char>(code - kFullWidth), out);
    } else if (is_blank(code)) {
      push_ascii(' ', out);
    } else if (is_minus(code)) {
      out.push_back('-');
    } else if (code == 0xffe5) {
      out += "¥";
    } else if (!is_invisible(code)) {
      out += text.substr(0, size);
    }
    text.remove_prefix(size);
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

}  // namespace kehu
