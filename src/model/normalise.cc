#include <algorithm>
#include <array>

#include "model/settings.h"

namespace kehu {
namespace {

// Spaces that people and spreadsheets leave around values: no-break space, ideographic space, byte order
// mark.
constexpr std::string_view kWideSpaces[] = {"\u00a0", "\u3000", "\ufeff"};

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool cut_leading_space(std::string_view& text) {
  if (text.empty()) return false;
  if (is_space(text.front())) {
    text.remove_prefix(1);
    return true;
  }
  for (const auto space : kWideSpaces) {
    if (text.starts_with(space)) {
      text.remove_prefix(space.size());
      return true;
    }
  }
  return false;
}

bool cut_trailing_space(std::string_view& text) {
  if (text.empty()) return false;
  if (is_space(text.back())) {
    text.remove_suffix(1);
    return true;
  }
  for (const auto space : kWideSpaces) {
    if (text.ends_with(space)) {
      text.remove_suffix(space.size());
      return true;
    }
  }
  return false;
}

std::string_view trim(std::string_view text) {
  while (cut_leading_space(text)) {
  }
  while (cut_trailing_space(text)) {
  }
  return text;
}

// Full-width forms U+FF01..U+FF5E are ASCII plus 0xFEE0; Chinese input methods write digits, @ and X so.
std::string fold_width(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const auto first = static_cast<unsigned char>(text[i]);
    if (first == 0xef && i + 2 < text.size()) {
      const auto second = static_cast<unsigned char>(text[i + 1]);
      const auto third = static_cast<unsigned char>(text[i + 2]);
      const unsigned point = 0xf000u | (second & 0x3fu) << 6 | (third & 0x3fu);
      if (point >= 0xff01 && point <= 0xff5e) {
        out.push_back(static_cast<char>(point - 0xfee0));
        i += 2;
        continue;
      }
    }
    out.push_back(text[i]);
  }
  return out;
}

std::string lowercase(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

// Separators people write inside numbers: spaces of any width, hyphens and dashes, dots, brackets.
std::string without_separators(std::string_view text) {
  static constexpr std::string_view kWide[] = {"\u00a0", "\u3000", "\ufeff", "\u2009", "\u200b",
                                               "\u2010", "\u2011", "\u2012", "\u2013", "\u2014"};
  std::string out;
  while (!text.empty()) {
    const auto* wide = std::find_if(std::begin(kWide), std::end(kWide),
                                    [&](std::string_view mark) { return text.starts_with(mark); });
    if (wide != std::end(kWide)) {
      text.remove_prefix(wide->size());
      continue;
    }
    const char c = text.front();
    if (!is_space(c) && c != '-' && c != '.' && c != '(' && c != ')') out.push_back(c);
    text.remove_prefix(1);
  }
  return out;
}

bool is_mainland_mobile(std::string_view digits) {
  return digits.size() == 11 && digits[0] == '1' && digits[1] >= '3';
}

// Landlines, with or without +86, are refused: a whole office shares one, so it names nobody.
std::optional<std::string> normalise_phone(std::string_view value) {
  std::string folded = without_separators(fold_width(trim(value)));
  std::string_view digits = folded;
  bool international = digits.starts_with("+");
  if (international) digits.remove_prefix(1);
  if (!std::all_of(digits.begin(), digits.end(), is_digit)) return std::nullopt;
  if (!international && digits.starts_with("00")) {
    international = true;
    digits.remove_prefix(2);
  }
  if (digits.starts_with("86") && is_mainland_mobile(digits.substr(2))) return std::string(digits.substr(2));
  if (!international) return is_mainland_mobile(digits) ? std::optional(std::string(digits)) : std::nullopt;
  const bool e164 = digits.size() >= 7 && digits.size() <= 15 && digits[0] != '0';
  if (!e164 || digits.starts_with("86")) return std::nullopt;
  return "+" + std::string(digits);
}

bool is_dotted_domain(std::string_view domain) {
  if (domain.empty() || domain.front() == '.' || domain.back() == '.') return false;
  return domain.find('.') != domain.npos && domain.find("..") == domain.npos;
}

std::optional<std::string> normalise_email(std::string_view value) {
  std::string address = lowercase(fold_width(trim(value)));
  const size_t at = address.find('@');
  if (at == 0 || at == address.npos || address.find('@', at + 1) != address.npos) return std::nullopt;
  const bool printable = std::all_of(address.begin(), address.end(), [](char c) {
    return static_cast<unsigned char>(c) > ' ' && c != '\x7f';
  });
  if (!printable || !is_dotted_domain(std::string_view(address).substr(at + 1))) return std::nullopt;
  return address;
}

// GB 11643-1999 (ISO 7064 MOD 11-2): the eighteenth character makes the weighted sum 1 modulo 11.
std::optional<std::string> normalise_id_card(std::string_view value) {
  static constexpr std::array<int, 17> kWeights = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  static constexpr std::string_view kCheckDigits = "10X98765432";
  std::string card = without_separators(fold_width(trim(value)));
  if (card.size() != 18) return std::nullopt;
  if (card.back() == 'x') card.back() = 'X';
  int sum = 0;
  for (size_t i = 0; i < kWeights.size(); ++i) {
    if (!is_digit(card[i])) return std::nullopt;
    sum += (card[i] - '0') * kWeights[i];
  }
  if (card.back() != kCheckDigits[static_cast<size_t>(sum % 11)]) return std::nullopt;
  return card;
}

size_t code_point_bytes(std::string_view text, size_t at) {
  size_t end = at + 1;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) ++end;
  return end - at;
}

// Greedy with one remembered star: at most |pattern| * |text| steps, no recursion.
bool matches(std::string_view pattern, std::string_view text) {
  size_t p = 0, t = 0;
  size_t after_star = pattern.npos, star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      after_star = ++p;
      star_text = t;
    } else if (p < pattern.size() && pattern[p] == '?') {
      ++p;
      t += code_point_bytes(text, t);
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (after_star != pattern.npos) {
      p = after_star;
      star_text += code_point_bytes(text, star_text);
      t = star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool equals_lowercase(std::string_view text, std::string_view want) {
  return std::equal(text.begin(), text.end(), want.begin(), want.end(),
                    [](char a, char b) { return lower(a) == b; });
}

bool names_nobody(std::string_view value) {
  static constexpr std::string_view kNobody[] = {"nan",     "n/a",       "null",     "none",
                                                 "unknown", "undefined", "anonymous"};
  if (value.empty()) return true;
  const char c = lower(value.front());
  const bool filler = c == '0' || c == '-' || c == '*' || c == 'x';
  if (filler && std::all_of(value.begin(), value.end(), [c](char other) { return lower(other) == c; }))
    return true;
  if (value.size() < 3 || value.size() > 9) return false;
  return std::any_of(std::begin(kNobody), std::end(kNobody),
                     [&](std::string_view nobody) { return equals_lowercase(value, nobody); });
}

}  // namespace

std::optional<std::string> normalise(Normaliser normaliser, std::string_view value) {
  switch (normaliser) {
    case Normaliser::kTrim:
      return std::string(trim(value));
    case Normaliser::kLowercase:
      return lowercase(trim(value));
    case Normaliser::kEmail:
      return normalise_email(value);
    case Normaliser::kChinesePhone:
      return normalise_phone(value);
    case Normaliser::kIdCard:
      return normalise_id_card(value);
  }
  return std::nullopt;
}

bool is_blocked(const IdentifierRule& rule, std::string_view normalised) {
  if (names_nobody(normalised)) return true;
  return std::any_of(rule.blocked.begin(), rule.blocked.end(),
                     [&](const std::string& pattern) { return matches(pattern, normalised); });
}

}  // namespace kehu
