#include "identifier/nobody.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "base/text.h"
#include "identifier/nobody_table.h"
#include "model/characters.h"

namespace kehu {
namespace {

constexpr size_t kFoldedMax = 80;    // bytes; no word of the table is longer
constexpr size_t kWrittenMax = 200;  // of a value that folds to a word

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// 0 for what is no ASCII letter or digit, else 1 to 36 without case.
constexpr std::array<uint8_t, 256> kPlaces = [] {
  std::array<uint8_t, 256> places{};
  for (int i = 0; i < 10; ++i) places[static_cast<size_t>('0' + i)] = static_cast<uint8_t>(i + 1);
  for (int i = 0; i < 26; ++i) {
    places[static_cast<size_t>('a' + i)] = places[static_cast<size_t>('A' + i)] =
        static_cast<uint8_t>(i + 11);
  }
  return places;
}();
constexpr size_t place(char c) { return kPlaces[static_cast<unsigned char>(c)]; }

// Tells nearly every id from the words of the table by its first two characters, its last one and its
// length, in ~3 ns: every identifier of every event is asked, and hardly any is in the table. It may let
// an id through to the exact comparison, but never holds back a word. It is computed from the table by the
// compiler, so a new word needs nothing else.
class Filter {
 public:
  constexpr Filter() {
    for (const std::string_view word : nobody::kWords) expect(word.substr(0, 2), word.back(), word.size());
    for (const std::string_view first : nobody::kGlued) {
      for (const std::string_view last : nobody::kGlued) {
        expect(first.substr(0, 2), last.back(), first.size() + last.size());
      }
    }
    for (char digit = '0'; digit <= '9'; ++digit) expect("er", digit, std::string_view("err502").size());
  }
  // Asks about a text that begins and ends with an ASCII letter or digit. Punctuation may double a word's
  // length, and may come second, so both are allowed for.
  constexpr bool may_have(std::string_view text) const {
    const size_t first = place(text[0]);
    if (text.size() > size_t{2} * longest_[first][place(text.back())]) return false;
    return text.size() == 1 || place(text[1]) == 0 || (seconds_[first] >> place(text[1]) & 1) != 0;
  }

 private:
  constexpr void expect(std::string_view begin, char last, size_t size) {
    uint8_t& longest = longest_[place(begin[0])][place(last)];
    longest = static_cast<uint8_t>(std::max<size_t>(longest, size));
    seconds_[place(begin[0])] |= uint64_t{1} << (begin.size() > 1 ? place(begin[1]) : 0);
  }

  std::array<std::array<uint8_t, 37>, 37> longest_{};  // of the words by first and last character
  std::array<uint64_t, 37> seconds_{};                 // bits: second characters of the words by their first
};
constexpr Filter kFilter;

bool is_word(std::string_view folded) {
  static const absl::flat_hash_set<std::string_view> kTable(std::begin(nobody::kWords),
                                                            std::end(nobody::kWords));
  return kTable.contains(folded);
}

bool is_wide_punctuation(char32_t point) {
  return (point >= 0x2010 && point <= 0x205e) || (point >= 0x3001 && point <= 0x301f) || point == 0x00ab ||
         point == 0x00bb || point == 0x00b7 || point == 0x30fb || point == 0xfffd;
}

// Keeps letters and digits alone, in lower case, because `(null)`, `'null'`, `NULL` and `<null>` are one
// mistake. The price is that an id which is one of these words with punctuation, such as `e-mail`, is left
// out too (docs/decisions/identifier_values.md). "@" counts as a letter, because what has one is an
// address. False when that is more than a word has.
bool fold(std::string_view text, std::string& out) {
  while (!text.empty()) {
    const Character character = first_character(text);
    char32_t point = character.point;
    if (point >= 0xff01 && point <= 0xff5e) point -= 0xfee0;
    if (point < 0x80) {
      const char c = lower(static_cast<char>(point));
      if (is_letter(c) || is_digit(c) || c == '@') out.push_back(c);
    } else if (!is_blank(point) && !is_invisible(point) && !is_wide_punctuation(point)) {
      out.append(text.substr(0, character.bytes));
    }
    if (out.size() > kFoldedMax) return false;
    text.remove_prefix(character.bytes);
  }
  return true;
}

// True of what fills a field: "0", "00000000-0000-…", "xxx", "ff:ff:ff:ff:ff:ff", "111111111111111". A
// short run of another digit may be somebody's number, so only twelve and more count.
bool is_filler(std::string_view folded) {
  const char c = folded.front();
  if (std::any_of(folded.begin(), folded.end(), [c](char other) { return other != c; })) return false;
  return c == '0' || c == 'x' || ((is_digit(c) || c == 'f') && folded.size() >= 12);
}

// True of words of the table written one behind the other. It takes the first word that fits and never
// goes back, so no text costs more than its length.
bool is_glued(std::string_view folded) {
  while (!folded.empty()) {
    const auto* word = std::find_if(std::begin(nobody::kGlued), std::end(nobody::kGlued),
                                    [&](std::string_view w) { return folded.starts_with(w); });
    if (word == std::end(nobody::kGlued)) return false;
    folded.remove_prefix(word->size());
  }
  return true;
}

bool has_template(std::string_view text) {
  return std::any_of(
      std::begin(nobody::kTemplates), std::end(nobody::kTemplates), [&](const nobody::Brackets& mark) {
        const size_t open = text.find(mark.open);
        return open != text.npos && text.find(mark.close, open + mark.open.size()) != text.npos;
      });
}

bool is_name(std::string_view text) {
  return std::any_of(text.begin(), text.end(), is_letter) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_letter(c) || c == '_' || c == '-' || c == '.' || c == ' '; });
}

bool is_bracketed_name(std::string_view text) {
  return std::any_of(std::begin(nobody::kNames), std::end(nobody::kNames), [&](const nobody::Brackets& mark) {
    if (text.size() <= mark.open.size() + mark.close.size()) return false;
    if (!text.starts_with(mark.open) || !text.ends_with(mark.close)) return false;
    text.remove_prefix(mark.open.size());
    text.remove_suffix(mark.close.size());
    return is_name(text);
  });
}

template <size_t n>
bool is_one_of(const std::string_view (&words)[n], std::string_view text) {
  return std::find(std::begin(words), std::end(words), text) != std::end(words);
}

// #REF!, #NAME?, #ЗНАЧ!; Err:502.
bool is_spreadsheet_error(std::string_view text) {
  if (text.starts_with('#') && text.size() > 2 && (text.ends_with('!') || text.ends_with('?'))) return true;
  const std::string folded = lowercase(text);
  const bool numbered = folded.size() == 7 && folded.starts_with("err:");
  return is_one_of(nobody::kErrors, folded) ||
         (numbered && std::all_of(folded.begin() + 4, folded.end(), is_digit));
}

bool is_shaped_like_nobody(std::string_view written) {
  const std::string text = fold_width(strip(written));
  return has_template(text) || is_bracketed_name(text) || is_spreadsheet_error(text) ||
         is_one_of(nobody::kExact, text) || is_one_of(nobody::kNumbers, text) ||
         (lowercase(text.substr(0, 8)) == "[object " && text.ends_with(']'));
}

// A value that a template was to fill in may begin and end with letters: user-${id}-x.
bool has_bracket(std::string_view text) { return text.find('{') != text.npos; }

}  // namespace

// Only whole values count: `guest42` is somebody. The quick way out is for values that begin and end with
// a letter or a digit and that the filter does not know; all others are folded and looked up.
bool names_nobody(std::string_view value) {
  if (value.empty()) return true;
  if (value.size() > kWrittenMax) return false;
  const bool usual = place(value.front()) != 0 && place(value.back()) != 0;
  if (usual && !kFilter.may_have(value) && !has_bracket(value)) {
    // Runs of one character are in no table.
    const char c = lower(value.front());
    if (lower(value.back()) != c) return false;
    if (value.size() > 1 && lower(value[value.size() / 2]) != c && lower(value[1]) != c) return false;
  }
  std::string folded;
  folded.reserve(kFoldedMax + 4);
  if (fold(value, folded)) {
    if (folded.empty() || is_filler(folded) || is_glued(folded) || is_word(folded)) return true;
  }
  return is_shaped_like_nobody(value);
}

}  // namespace kehu
