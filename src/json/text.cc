#include "json/text.h"

#include <charconv>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "json/scan.h"
#include "simdjson.h"

namespace kehu::json {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

void append_utf8(uint32_t point, std::string& out) {
  const auto put = [&out](uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xc0 | point >> 6);
    put(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    put(0xe0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3f));
    put(0x80 | (point & 0x3f));
  } else {
    put(0xf0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3f));
    put(0x80 | (point >> 6 & 0x3f));
    put(0x80 | (point & 0x3f));
  }
}

// `p` stands behind "\u"; returns the place behind the escape (behind both halves of a pair). Half a pair
// is no character, but JSON's grammar allows it and programs send it, so it becomes U+FFFD instead of an
// error.
const char* append_unicode_escape(const char* p, const char* end, std::string& out) {
  const int unit = read_hex4(p, end);
  KEHU_CHECK(unit >= 0);
  p += 4;
  if (is_high_surrogate(unit) && end - p >= 6 && p[0] == '\\' && p[1] == 'u') {
    const int low = read_hex4(p + 2, end);
    if (is_low_surrogate(low)) {
      append_utf8(static_cast<uint32_t>(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00)), out);
      return p + 6;
    }
  }
  if (is_high_surrogate(unit) || is_low_surrogate(unit)) {
    out.append(kReplacement);
  } else {
    append_utf8(static_cast<uint32_t>(unit), out);
  }
  return p;
}

char unescaped(char letter) {
  switch (letter) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return letter;  // quote, backslash, slash
  }
}

void append_escape(unsigned char c, std::string& out) {
  constexpr char kHex[] = "0123456789abcdef";
  switch (c) {
    case '"':
      out.append("\\\"");
      return;
    case '\\':
      out.append("\\\\");
      return;
    case '\n':
      out.append("\\n");
      return;
    case '\r':
      out.append("\\r");
      return;
    case '\t':
      out.append("\\t");
      return;
    default:
      out.append("\\u00");
      out.push_back(kHex[c >> 4]);
      out.push_back(kHex[c & 15]);
  }
}

void append_valid_literal(std::string_view text, std::string& out) {
  out.push_back('"');
  const char* p = text.data();
  const char* const end = p + text.size();
  while (true) {
    const char* stop = find_string_stop(p, end);
    out.append(p, stop);
    if (stop == end) break;
    append_escape(static_cast<unsigned char>(*stop), out);
    p = stop + 1;
  }
  out.push_back('"');
}

// Printable ASCII without a quotation mark or a backslash: nothing to check or to escape. Most names and
// values are some dozen such bytes, for which the general way takes longer to begin than to end.
//
// Eight bytes are looked at in one word. Subtracting 0x20 from each byte borrows into its high bit exactly
// when the byte is smaller, and XOR with a character makes a byte zero where that character stands. A
// borrow may mark the byte above a true one as well, but never without a true one below, and only "any" is
// asked.
bool stands_for_itself(std::string_view text) {
  constexpr uint64_t kOnes = 0x0101010101010101, kHigh = 0x8080808080808080;
  const auto has_zero = [](uint64_t word) { return (word - kOnes) & ~word & kHigh; };
  uint64_t odd = 0;
  size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    uint64_t word;
    std::memcpy(&word, text.data() + at, sizeof(word));
    odd |= (word & kHigh) | ((word - kOnes * 0x20) & ~word & kHigh) | has_zero(word ^ kOnes * '"') |
           has_zero(word ^ kOnes * '\\');
  }
  for (; at < text.size(); ++at) {
    const auto c = static_cast<unsigned char>(text[at]);
    odd |= c < 0x20 || c >= 0x80 || c == '"' || c == '\\';
  }
  return odd == 0;
}

// Length of the valid UTF-8 sequence at the start of `text`, 0 when there is none (RFC 3629, section 4).
// The second byte tells overlong forms (E0, F0), surrogates (ED) and what is beyond U+10FFFF (F4); C0, C1
// and from F5 on no byte begins a sequence. simdjson answers for whole texts; this finds the place.
size_t utf8_sequence(std::string_view text) {
  const auto byte = [&text](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  if ((lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xed && byte(1) > 0x9f) ||
      (lead == 0xf0 && byte(1) < 0x90) || (lead == 0xf4 && byte(1) > 0x8f)) {
    return 0;
  }
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  return length;
}

// Each byte that begins no sequence becomes one U+FFFD, and reading goes on at the next byte: a broken
// character costs only itself.
std::string repaired_utf8(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t length = utf8_sequence(text);
    out.append(length == 0 ? kReplacement : text.substr(0, length));
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

}  // namespace

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::kNull:
      return "null";
    case Kind::kBool:
      return "a boolean";
    case Kind::kNumber:
      return "a number";
    case Kind::kString:
      return "a string";
    case Kind::kArray:
      return "an array";
    case Kind::kObject:
      return "an object";
  }
  return "unknown";
}

std::optional<bool> RawValue::as_bool() const {
  if (kind != Kind::kBool) return std::nullopt;
  return raw.size() == 4;
}

// An integer may be written as 1e3 or 5.0. Those go by way of a double, but only up to 2^53: beyond, the
// double may be the neighbour's number.
std::optional<int64_t> RawValue::as_int() const {
  if (!is_number()) return std::nullopt;
  int64_t integer = 0;
  const auto [stop, error] = std::from_chars(raw.data(), raw.data() + raw.size(), integer);
  if (error == std::errc() && stop == raw.data() + raw.size()) return integer;
  const auto number = as_double();
  constexpr double kExact = 9007199254740992.0;  // 2^53: beyond, a double no longer tells integers apart
  if (!number || std::trunc(*number) != *number || std::abs(*number) > kExact) return std::nullopt;
  return static_cast<int64_t>(*number);
}

std::optional<double> RawValue::as_double() const {
  if (!is_number()) return std::nullopt;
  double number = 0;
  const auto [stop, error] = std::from_chars(raw.data(), raw.data() + raw.size(), number);
  if (error != std::errc::result_out_of_range) return number;
  // from_chars does not say on which side it left the range: a negative exponent means towards zero.
  const double limit = raw.find("e-") != raw.npos || raw.find("E-") != raw.npos ? 0.0 : HUGE_VAL;
  return raw.front() == '-' ? -limit : limit;
}

std::string_view RawValue::as_string(std::string& scratch) const {
  return is_string() ? unescape(raw, scratch) : std::string_view();
}

std::string_view unescape(std::string_view literal, std::string& scratch) {
  KEHU_CHECK(literal.size() >= 2);
  const char* p = literal.data() + 1;
  const char* const end = literal.data() + literal.size() - 1;
  const char* stop = find_string_stop(p, end);
  if (stop == end) return {p, static_cast<size_t>(end - p)};
  scratch.clear();
  while (true) {
    scratch.append(p, stop);
    if (stop == end) return scratch;
    KEHU_CHECK(*stop == '\\' && end - stop >= 2);
    if (stop[1] == 'u') {
      p = append_unicode_escape(stop + 2, end, scratch);
    } else {
      scratch.push_back(unescaped(stop[1]));
      p = stop + 2;
    }
    stop = find_string_stop(p, end);
  }
}

void append_literal(std::string_view text, std::string& out) {
  if (stands_for_itself(text)) {
    out.push_back('"');
    out.append(text);
    out.push_back('"');
  } else if (is_valid_utf8(text)) {
    append_valid_literal(text, out);
  } else {
    append_valid_literal(repaired_utf8(text), out);
  }
}

bool is_valid_utf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

size_t valid_utf8_prefix(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const size_t length = utf8_sequence(text.substr(at));
    if (length == 0) break;
    at += length;
  }
  return at;
}

}  // namespace kehu::json
