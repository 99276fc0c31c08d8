#pragma once

#include <array>
#include <compare>
#include <string_view>

namespace kehu::text {

// Three capital letters, ISO 4217's or a shop's own ("PTS"), or nothing.
class CurrencyCode {
 public:
  constexpr CurrencyCode() = default;
  // Of three capital letters.
  constexpr explicit CurrencyCode(std::string_view code) : letters_{code[0], code[1], code[2]} {}

  constexpr bool empty() const { return letters_[0] == '\0'; }
  constexpr std::string_view view() const { return {letters_.data(), empty() ? 0u : 3u}; }
  constexpr auto operator<=>(const CurrencyCode&) const = default;

 private:
  std::array<char, 3> letters_{};
};

// The currency that a text names: three letters in any case stand for themselves (RMB and CNH: CNY), three
// digits for ISO 4217's number (156: CNY), and signs and words as people write them (¥, 元, 人民币, US$,
// 美元…; docs/profile.md lists them). Blanks around it and full width are folded. Empty when it names none.
CurrencyCode read_currency(std::string_view text);

}  // namespace kehu::text
