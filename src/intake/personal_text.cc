#include "intake/personal_text.h"

#include <algorithm>

#include "model/personal_values.h"

namespace kehu::intake {
namespace {

constexpr size_t kFewestDigits = 11;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Every run of eleven digits has one at a place that eleven divides with the rest ten.
bool has_long_number(std::string_view text) {
  for (size_t at = kFewestDigits - 1; at < text.size(); at += kFewestDigits) {
    if (!is_digit(text[at])) continue;
    size_t begin = at, end = at + 1;
    while (begin > 0 && is_digit(text[begin - 1])) --begin;
    while (end < text.size() && is_digit(text[end])) ++end;
    if (end - begin >= kFewestDigits) return true;
  }
  return false;
}

// "orders.csv@3f9a0c1b2d4e:17~a1b0f4" (mapping/row_mapper.h).
bool is_place_in_file(std::string_view id) {
  constexpr size_t kHashDigits = 12;
  const size_t at = id.rfind('@');
  if (at == id.npos || id.size() < at + kHashDigits + 2 || id[at + 1 + kHashDigits] != ':') return false;
  const std::string_view hash = id.substr(at + 1, kHashDigits);
  return std::all_of(hash.begin(), hash.end(), [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
}

}  // namespace

bool is_personal(const Settings& settings, std::string_view text) {
  const PersonalKind kind = personal_kind(text);
  return kind != PersonalKind::kNone && settings.personal_values.seals(kind);
}

bool id_is_personal(const Settings& settings, std::string_view message_id) {
  const bool may_be = message_id.find('@') != message_id.npos || has_long_number(message_id);
  if (!may_be || is_place_in_file(message_id)) return false;
  const PersonalKind kind = personal_kind_inside(message_id);
  return kind != PersonalKind::kNone && settings.personal_values.seals(kind);
}

}  // namespace kehu::intake
