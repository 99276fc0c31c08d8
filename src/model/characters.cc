#include "model/characters.h"

namespace kehu {
namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

bool is_joiner(char32_t point) { return point == 0x200c || point == 0x200d; }

bool is_dropped_at_an_end(char32_t point) {
  return is_blank(point) || is_invisible(point) || is_joiner(point);
}

// 0 when the text is empty.
size_t last_character_bytes(std::string_view text) {
  size_t bytes = 0;
  while (bytes < text.size() && bytes < 4) {
    ++bytes;
    if (!is_continuation(text[text.size() - bytes])) break;
  }
  return bytes;
}

}  // namespace

Character first_character(std::string_view text) {
  const auto byte = [&](size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char lead = byte(0);
  const size_t bytes = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (bytes == 1 || bytes > text.size()) return {lead, 1};
  char32_t point = lead & (0x7fu >> bytes);
  for (size_t i = 1; i < bytes; ++i) {
    if (!is_continuation(text[i])) return {lead, 1};
    point = point << 6 | (byte(i) & 0x3fu);
  }
  return {point, bytes};
}

bool is_invisible(char32_t point) {
  switch (point) {
    case 0:
    case 0x00ad:
    case 0x180e:
    case 0x200b:
    case 0x200e:
    case 0x200f:
    case 0xfeff:
      return true;
    default:
      return (point >= 0x202a && point <= 0x202e) || (point >= 0x2060 && point <= 0x206f);
  }
}

bool is_blank(char32_t point) {
  if (point <= 0x20 || point == 0x7f) return point != 0;
  if (point < 0x80) return false;
  return point == 0x85 || point == 0xa0 || point == 0x1680 || (point >= 0x2000 && point <= 0x200a) ||
         point == 0x2028 || point == 0x2029 || point == 0x202f || point == 0x205f || point == 0x3000;
}

std::string_view strip(std::string_view text) {
  while (!text.empty()) {
    const Character first = first_character(text);
    if (!is_dropped_at_an_end(first.point)) break;
    text.remove_prefix(first.bytes);
  }
  while (!text.empty()) {
    const size_t bytes = last_character_bytes(text);
    const Character last = first_character(text.substr(text.size() - bytes));
    if (last.bytes != bytes || !is_dropped_at_an_end(last.point)) break;
    text.remove_suffix(bytes);
  }
  return text;
}

std::string without_invisible(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Character character = first_character(text);
    if (!is_invisible(character.point)) out.append(text.substr(0, character.bytes));
    text.remove_prefix(character.bytes);
  }
  return out;
}

std::string fold_width(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Character character = first_character(text);
    if (character.point >= 0xff01 && character.point <= 0xff5e) {
      out.push_back(static_cast<char>(character.point - 0xfee0));
    } else {
      out.append(text.substr(0, character.bytes));
    }
    text.remove_prefix(character.bytes);
  }
  return out;
}

std::string lowercase(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

// Each star first takes nothing, and one character more whenever what follows it does not fit. Only the last
// star is remembered: what stands before it matched at its earliest place already, and a later place there
// leaves no more of the text to choose from. So there is no recursion, and at most pattern × text steps,
// where trying every place of every star takes text to the power of their number.
bool matches(std::string_view pattern, std::string_view text) {
  size_t p = 0, t = 0;
  size_t after_star = pattern.npos, star_text = 0;
  while (t < text.size()) {
    const size_t bytes = first_character(text.substr(t)).bytes;
    if (p < pattern.size() && pattern[p] == '*') {
      after_star = ++p;
      star_text = t;
    } else if (p < pattern.size() && pattern[p] == '?') {
      ++p;
      t += bytes;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (after_star != pattern.npos) {
      p = after_star;
      star_text += first_character(text.substr(star_text)).bytes;
      t = star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace kehu
