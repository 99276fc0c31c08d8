#include "intake/personal_text.h"

#include <emmintrin.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/text.h"
#include "model/personal_values.h"

namespace kehu::intake {
namespace {

constexpr size_t kFewestDigits = 11;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Bytes from `first` to `last`, as a mask of sixteen.
uint32_t in_range(__m128i bytes, char first, char last) {
  const __m128i from_first = _mm_sub_epi8(bytes, _mm_set1_epi8(first));
  const __m128i most = _mm_set1_epi8(static_cast<char>(last - first));
  return static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(from_first, most), from_first)));
}

// Eleven digits with nothing but what people write between them.
bool has_long_number(std::string_view text) {
  size_t digits = 0;
  for (const char c : text) {
    digits = is_digit(c)                                                      ? digits + 1
             : c == ' ' || (c >= '(' && c <= '/') || (c >= '\t' && c <= '\r') ? digits
                                                                              : 0;
    if (digits == kFewestDigits) return true;
  }
  return false;
}

// Whether reading the whole text is worth it: personal_kind_inside finds nothing where there is no @, no %,
// no byte beyond ASCII (the first of full-width forms, and of wide blanks and dashes between digits), and
// nowhere eleven bytes of digits and what people write between them. Most ids have none of these, and no
// branch here depends on what is in them: guessing wrong about a digit costs as much as all of the rest.
bool may_hold_personal(std::string_view text) {
  constexpr size_t kBytes = 64;
  if (text.size() > kBytes) return true;
  alignas(16) char bytes[kBytes] = {};
  std::memcpy(bytes, text.data(), text.size());
  uint64_t number = 0, marks = 0;
  for (size_t at = 0; at < kBytes; at += 16) {
    const __m128i block = _mm_load_si128(reinterpret_cast<const __m128i*>(bytes + at));
    const uint32_t between =
        in_range(block, '(', '9') | in_range(block, ' ', ' ') | in_range(block, '\t', '\r');
    number |= static_cast<uint64_t>(between) << at;
    marks |= in_range(block, '@', '@') | in_range(block, '%', '%') |
             static_cast<uint32_t>(_mm_movemask_epi8(block));
  }
  number &= number >> 1;  // two in a row
  number &= number >> 2;
  number &= number >> 4;
  number &= number >> (kFewestDigits - 8);
  return marks != 0 || (number != 0 && has_long_number(text));
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
  if (!may_hold_personal(message_id) || is_place_in_file(message_id)) return false;
  const PersonalKind kind = personal_kind_inside(message_id);
  return kind != PersonalKind::kNone && settings.personal_values.seals(kind);
}

// The keyed hash that is good enough for phone numbers, that of a personal type, where there is one.
std::string hidden_text(const fields::Policy& policy, seal::Door& door, std::string_view what,
                        std::string_view text) {
  const auto& types = policy.settings().identifier_types;
  const auto personal =
      std::find_if(types.begin(), types.end(), [](const auto& type) { return type.personal; });
  const IdentifierTypeId type = personal == types.end()
                                    ? *policy.user_id()
                                    : IdentifierTypeId(static_cast<uint8_t>(personal - types.begin()));
  return cat("id-", door.token(type, cat(what, " ", text)).hash.hex());
}

}  // namespace kehu::intake
