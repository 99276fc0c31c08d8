#include "model/personal_values.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/hash.h"

namespace kehu {
namespace {

constexpr size_t kShortestPhone = 11;
constexpr size_t kLongestNumber = 64;  // bytes; 18 full-width digits with separators
constexpr size_t kDigitsMax = 18;      // of an ID card
constexpr size_t kShortestEmail = 6;   // a@b.cc
constexpr size_t kLongestEmail = 254;
constexpr size_t kLongestLocalPart = 64;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_foreign(char c) { return static_cast<unsigned char>(c) >= 0x80; }

bool is_mobile(std::string_view digits) {
  return digits.size() == 11 && digits[0] == '1' && digits[1] >= '3';
}

bool is_date(std::string_view digits) {
  const int year = std::atoi(std::string(digits.substr(0, 4)).c_str());
  const int month = std::atoi(std::string(digits.substr(4, 2)).c_str());
  const int day = std::atoi(std::string(digits.substr(6, 2)).c_str());
  return year >= 1850 && year < 2100 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

// GB 11643: a region, a date of birth, a number, and what makes the weighted sum 1 modulo 11.
bool is_id_card(std::string_view text) {
  static constexpr std::array<int, 17> kWeights = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  if (text.size() != 18 || text[0] == '0' || text[0] == '9' || !is_date(text.substr(6, 8))) return false;
  int sum = 0;
  for (size_t i = 0; i < kWeights.size(); ++i) {
    if (!is_digit(text[i])) return false;
    sum += (text[i] - '0') * kWeights[i];
  }
  const char last = text.back() == 'x' ? 'X' : text.back();
  return last == std::string_view("10X98765432")[static_cast<size_t>(sum % 11)];
}

// The bytes of a separator that people write inside numbers at the head of `text`; 0 for none.
size_t separator_bytes(std::string_view text) {
  static constexpr std::string_view kWide[] = {"\u00a0", "\u2009", "\u200b", "\u2010", "\u2011",
                                               "\u2012", "\u2013", "\u2014", "\u202d", "\u202c",
                                               "\u3000", "\ufeff", "\uff08", "\uff09", "\uff0d"};
  const char c = text.front();
  if (c == ' ' || c == '-' || c == '(' || c == ')' || (c >= '\t' && c <= '\r')) return 1;
  if (!is_foreign(c)) return 0;
  const auto* wide = std::find_if(std::begin(kWide), std::end(kWide),
                                  [text](std::string_view mark) { return text.starts_with(mark); });
  return wide == std::end(kWide) ? 0 : wide->size();
}

// The ASCII character that the head of `text` is in some width, and its bytes; {0, 0} for another script's.
struct Folded {
  char c = 0;
  size_t bytes = 0;
};
Folded folded(std::string_view text) {
  if (!is_foreign(text.front())) return {text.front(), 1};
  if (text.size() < 3 || text[0] != '\xef' || (text[1] != '\xbc' && text[1] != '\xbd')) return {};
  const unsigned point =
      (static_cast<unsigned char>(text[1]) & 0x3fu) << 6 | (static_cast<unsigned char>(text[2]) & 0x3fu);
  // U+FF01 to U+FF5E are ASCII from '!' on.
  return point >= 0xf01 && point <= 0xf5e ? Folded{static_cast<char>(point - 0xee0), 3} : Folded{};
}

// A number as it was written, without what stands between its digits.
struct Number {
  std::array<char, kDigitsMax + 4> digits;  // 0086 and a mobile number have 15
  size_t count = 0;
  size_t first_group = 0;  // digits before the first separator
  int groups = 1;
  int dots = 0;
  bool plus = false;
  bool separated = false;
  std::string_view text() const { return {digits.data(), count}; }
};

bool read_number(std::string_view text, Number& number) {
  bool gap = false;
  while (!text.empty()) {
    if (const size_t separator = separator_bytes(text)) {
      gap = number.count > 0;
      text.remove_prefix(separator);
      continue;
    }
    const auto [c, bytes] = folded(text);
    const bool card_end = number.count == 17 && (c == 'x' || c == 'X');
    if (c == '+' && number.count == 0) {
      number.plus = true;
    } else if (c == '.' && number.count > 0) {
      ++number.dots;
      gap = true;
    } else if (is_digit(c) || card_end) {
      if (number.count == number.digits.size()) return false;
      if (gap) {
        if (number.groups++ == 1) number.first_group = number.count;
        gap = false;
      }
      number.digits[number.count++] = c;
    } else {
      return false;
    }
    text.remove_prefix(bytes);
  }
  if (number.groups == 1) number.first_group = number.count;
  return true;
}

// 13912345678.0 and 1.3912345678E10 are what spreadsheets and data frames make of a number.
bool is_mobile_as_float(std::string_view text) {
  if (text.front() != '1' || text.size() < 12 || text.size() > 24) return false;
  if (text.find_first_not_of("0123456789.eE+") != text.npos) return false;
  if (text.find('.') == text.npos && text.find_first_of("eE") == text.npos) return false;
  char copy[32] = {};
  std::memcpy(copy, text.data(), text.size());
  char* end = nullptr;
  const double value = std::strtod(copy, &end);
  return end == copy + text.size() && value >= 13e9 && value < 20e9 && value == std::floor(value);
}

// Groups as people make them, so that neither a date with a number (1995-11-22-001) nor an address of the
// internet (183.128.145.22) is one.
bool is_grouped_like_phone(const Number& number, size_t code) {
  if (number.dots != 0 && number.dots != 2) return false;
  if (number.groups == 1 || number.plus || code > 0) return number.groups <= 5;
  return number.groups <= 4 && (number.first_group == 3 || number.first_group == 7);
}

PersonalKind kind_of_number(std::string_view text) {
  if (is_mobile_as_float(text)) return PersonalKind::kPhone;
  Number number;
  if (!read_number(text, number)) return PersonalKind::kNone;
  std::string_view digits = number.text();
  if (is_id_card(digits) && number.dots == 0) return PersonalKind::kIdCard;
  const size_t code = digits.size() == 13 && digits.starts_with("86")     ? 2
                      : digits.size() == 15 && digits.starts_with("0086") ? 4
                                                                          : 0;
  digits.remove_prefix(code);
  return is_mobile(digits) && is_grouped_like_phone(number, code) ? PersonalKind::kPhone
                                                                  : PersonalKind::kNone;
}

// What a number in some spelling begins with.
bool may_begin_number(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return is_digit(c) || c == '+' || c == '(' || c == ' ' || (c >= '\t' && c <= '\r') || byte == 0xc2 ||
         byte == 0xe2 || byte == 0xe3 || byte == 0xef;
}

bool is_local(char c) {
  return is_letter(c) || is_digit(c) || is_foreign(c) ||
         (c != '\0' && std::strchr("!#$%&'*+-/=?^_`{|}~.", c) != nullptr);
}
bool is_domain(char c) { return is_letter(c) || is_digit(c) || is_foreign(c) || c == '-' || c == '.'; }

// icon@2x.png is a picture for screens of twice the density.
bool is_picture(std::string_view domain) {
  return domain.size() > 3 && is_digit(domain[0]) && (domain[1] == 'x' || domain[1] == 'X') &&
         domain[2] == '.';
}

bool is_domain_name(std::string_view domain) {
  const size_t dot = domain.rfind('.');
  if (dot == domain.npos || dot == 0 || domain.find("..") != domain.npos || is_picture(domain)) return false;
  const std::string_view top = domain.substr(dot + 1);
  // Versions (react@18.2.0) and addresses end in a digit.
  return top.size() >= 2 &&
         std::all_of(top.begin(), top.end(), [](char c) { return is_letter(c) || is_foreign(c); });
}

std::string folded_text(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto [c, bytes] = folded(text);
    out.push_back(bytes == 0 ? text.front() : c);
    text.remove_prefix(std::max<size_t>(bytes, 1));
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  const auto spaces = [](std::string_view at) { return at.empty() ? size_t{0} : separator_bytes(at); };
  while (const size_t bytes = spaces(text)) text.remove_prefix(bytes);
  static constexpr std::string_view kBehind[] = {" ",      "\t",     "\r",     "\n",
                                                 "\u00a0", "\u3000", "\ufeff", "\u200b"};
  for (bool found = true; found;) {
    found = false;
    for (const std::string_view space : kBehind) {
      if (!text.ends_with(space)) continue;
      text.remove_suffix(space.size());
      found = true;
    }
  }
  return text;
}

bool is_email(std::string_view text) {
  const size_t at = text.find('@');
  if (at == text.npos || at == 0 || at > kLongestLocalPart || text.size() < kShortestEmail) return false;
  const std::string_view local = text.substr(0, at), domain = text.substr(at + 1);
  return std::all_of(local.begin(), local.end(), is_local) && local.find("//") == local.npos &&
         std::all_of(domain.begin(), domain.end(), is_domain) && is_domain_name(domain);
}

constexpr std::string_view kWideAt = "\uff20";

bool reads_as_email(std::string_view value) {
  if (value.size() < kShortestEmail || value.size() > kLongestEmail) return false;
  const bool narrow = std::memchr(value.data(), '@', value.size()) != nullptr;
  const bool wide = !narrow && std::memchr(value.data(), '\xef', value.size()) != nullptr;
  if (!narrow && (!wide || value.find(kWideAt) == value.npos)) return false;
  value = trimmed(value);
  // As address books and links write it.
  for (const std::string_view prefix : {"mailto:", "MAILTO:", "<"}) {
    if (value.starts_with(prefix)) value.remove_prefix(prefix.size());
  }
  if (value.ends_with(">")) value.remove_suffix(1);
  const bool plain = std::none_of(value.begin(), value.end(), [](char c) { return c == '\xef'; });
  return plain ? is_email(value) : is_email(folded_text(value));
}

bool is_word(char c) { return is_digit(c) || is_letter(c) || c == '_'; }

// The number that begins at `at`, with what people put between its digits, or without.
PersonalKind kind_of_number_at(std::string_view text, size_t at, size_t& end) {
  end = at;
  while (end < text.size() && is_digit(text[end])) ++end;
  if (end - at == 17 && end < text.size() && (text[end] == 'x' || text[end] == 'X')) ++end;
  if (at > 0 && (is_letter(text[at - 1]) || text[at - 1] == '_')) return PersonalKind::kNone;
  if (end < text.size() && (is_letter(text[end]) || text[end] == '_')) return PersonalKind::kNone;
  const PersonalKind alone = kind_of_number(text.substr(at, end - at));
  if (alone != PersonalKind::kNone) return alone;
  size_t groups = end;
  while (groups + 1 < text.size() && groups - at < 20 && (text[groups] == ' ' || text[groups] == '-') &&
         is_digit(text[groups + 1])) {
    ++groups;
    while (groups < text.size() && is_digit(text[groups])) ++groups;
  }
  const PersonalKind grouped =
      groups == end ? PersonalKind::kNone : kind_of_number(text.substr(at, groups - at));
  if (grouped != PersonalKind::kNone) end = groups;
  return grouped;
}

// One of them in a text, and where it stands.
struct Found {
  PersonalKind kind = PersonalKind::kNone;
  size_t begin = 0, end = 0;
};

// In a text of ASCII forms, from a place on.
Found find_inside(std::string_view text, size_t from) {
  for (size_t at = from; at < text.size(); ++at) {
    if (is_digit(text[at])) {
      size_t end = at;
      const PersonalKind kind = kind_of_number_at(text, at, end);
      if (kind != PersonalKind::kNone) return {kind, at, end};
      at = std::max(end, at + 1) - 1;
    } else if (text[at] == '@' || text.substr(at).starts_with("%40")) {
      size_t begin = at, end = at + (text[at] == '@' ? 1 : 3);
      const size_t domain = end;
      // Only what every address has: marks around it are not part of one.
      const auto inner = [](char c) { return is_word(c) || c == '.' || c == '-' || c == '+'; };
      while (begin > from && inner(text[begin - 1]) && at - begin < kLongestLocalPart) --begin;
      while (end < text.size() &&
             (is_letter(text[end]) || is_digit(text[end]) || text[end] == '-' || text[end] == '.'))
        ++end;
      while (end > domain && text[end - 1] == '.') --end;
      if (begin < at && is_domain_name(text.substr(domain, end - domain)))
        return {PersonalKind::kEmail, begin, end};
    }
  }
  return {};
}

std::string replaced(std::string_view text) {
  std::string out;
  size_t kept = 0;
  for (Found found = find_inside(text, 0); found.kind != PersonalKind::kNone;
       found = find_inside(text, kept)) {
    out.append(text.substr(kept, found.begin - kept)).append(to_string(found.kind)).push_back('-');
    out.append(hash128(text.substr(found.begin, found.end - found.begin)).hex().substr(0, 4));
    kept = found.end;
  }
  return out.append(text.substr(kept));
}

}  // namespace

std::string_view to_string(PersonalKind kind) {
  switch (kind) {
    case PersonalKind::kNone:
      return "none";
    case PersonalKind::kPhone:
      return "phone";
    case PersonalKind::kEmail:
      return "email";
    case PersonalKind::kIdCard:
      return "id_card";
  }
  return "none";
}

PersonalKind personal_kind(std::string_view value) {
  if (value.size() < kShortestEmail) return PersonalKind::kNone;
  const bool sized = value.size() >= kShortestPhone && value.size() <= kLongestNumber;
  if (sized && may_begin_number(value.front())) {
    const PersonalKind kind = kind_of_number(value);
    if (kind != PersonalKind::kNone) return kind;
  }
  return reads_as_email(value) ? PersonalKind::kEmail : PersonalKind::kNone;
}

PersonalKind personal_kind_inside(std::string_view text) {
  const PersonalKind whole = personal_kind(text);
  if (whole != PersonalKind::kNone) return whole;
  const bool wide = text.find('\xef') != text.npos;
  return find_inside(wide ? std::string_view(folded_text(text)) : text, 0).kind;
}

// Addresses first, because they may have underscores.
std::string without_personal_values(std::string_view name) {
  const bool wide = name.find('\xef') != name.npos;
  const std::string whole = replaced(wide ? folded_text(name) : std::string(name));
  std::string out;
  for (size_t at = 0; at <= whole.size();) {
    const size_t end = std::min(whole.find('_', at), whole.size());
    if (at > 0) out.push_back('_');
    out.append(replaced(std::string_view(whole).substr(at, end - at)));
    at = end + 1;
  }
  return out;
}

bool is_bare_number(std::string_view value) {
  return (value.size() == 11 || value.size() == 13) && std::all_of(value.begin(), value.end(), is_digit);
}

}  // namespace kehu
