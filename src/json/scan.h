#pragma once

#include <emmintrin.h>

#include <bit>
#include <cstdint>

// Steps over single tokens of JSON text: the inner loops of index.cc, fields.cc and of intake's splitter.
namespace kehu::json {

inline bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

inline const char* skip_space(const char* p, const char* end) {
  while (p < end && is_space(*p)) ++p;
  return p;
}

// The first quote, backslash or control character at or after p; end when there is none. Sixteen bytes at a
// time: most keys and values end within the first.
inline const char* find_string_stop(const char* p, const char* end) {
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i last_control = _mm_set1_epi8(0x1f);
  for (; end - p >= 16; p += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes);
    const __m128i stop =
        _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)), control);
    const auto mask = static_cast<uint32_t>(_mm_movemask_epi8(stop));
    if (mask != 0) return p + std::countr_zero(mask);
  }
  while (p < end && *p != '"' && *p != '\\' && static_cast<unsigned char>(*p) > 0x1f) ++p;
  return p;
}

// Whether one of two bytes is between p and end.
inline bool has_either(const char* p, const char* end, char first, char second) {
  const __m128i firsts = _mm_set1_epi8(first);
  const __m128i seconds = _mm_set1_epi8(second);
  __m128i found = _mm_setzero_si128();
  for (; end - p >= 16; p += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    found = _mm_or_si128(found, _mm_or_si128(_mm_cmpeq_epi8(bytes, firsts), _mm_cmpeq_epi8(bytes, seconds)));
  }
  bool rest = false;
  for (; p < end; ++p) rest |= *p == first || *p == second;
  return rest || _mm_movemask_epi8(found) != 0;
}

inline int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// The code unit of four hexadecimal digits, -1 when they are not four.
inline int read_hex4(const char* p, const char* end) {
  if (end - p < 4) return -1;
  int unit = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = hex_value(p[i]);
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

inline bool is_high_surrogate(int unit) { return unit >= 0xd800 && unit <= 0xdbff; }
inline bool is_low_surrogate(int unit) { return unit >= 0xdc00 && unit <= 0xdfff; }

}  // namespace kehu::json
