#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// The characters of rules' texts.
namespace kehu::notation {

struct Character {
  char32_t code = 0;
  size_t bytes = 0;  // 0 at the end
};

// The character that begins at a byte of valid UTF-8; full-width signs, letters and digits as their plain
// ones.
Character character_at(std::string_view text, size_t at);
void append_utf8(char32_t code, std::string& out);

bool is_digit(char32_t c);
bool is_letter(char32_t c);  // also '_'
bool is_blank(char32_t c);   // also line breaks

}  // namespace kehu::notation
