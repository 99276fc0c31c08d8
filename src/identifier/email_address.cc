#include "identifier/email_address.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "model/characters.h"
#include "model/spreadsheet.h"

namespace kehu {
namespace {

constexpr std::string_view kAround = ",;.:<>()[]{}\"'`";
constexpr std::string_view kNeverInside = ",;:<>()[]{}\"`\\";

void append_utf8(char32_t point, std::string& out) {
  const auto tail = [&](int shift) { out.push_back(static_cast<char>(0x80 | (point >> shift & 0x3f))); };
  if (point < 0x80) {
    out.push_back(static_cast<char>(point));
  } else if (point < 0x800) {
    out.push_back(static_cast<char>(0xc0 | point >> 6));
    tail(0);
  } else if (point < 0x10000) {
    out.push_back(static_cast<char>(0xe0 | point >> 12));
    tail(6);
    tail(0);
  } else {
    out.push_back(static_cast<char>(0xf0 | point >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

// The label behind "xn--" in its own script; nullopt when it is none. The procedure is that of RFC 3492,
// section 6.2, with the adaptation of the bias of section 6.1 and the parameters of section 5. Each turn
// of the outer loop reads one number of variable length, which says how far (n, i) moves on before the
// next character is inserted. The bounds on `weight` and `i` keep the arithmetic within 32 bits.
// Characters that would change what an address looks like, blank, invisible or of full width, are refused,
// so that one address has one spelling.
std::optional<std::string> decode_punycode(std::string_view text) {
  constexpr uint32_t kBase = 36, kMin = 1, kMax = 26, kSkew = 38, kDamp = 700;
  std::u32string points;
  const size_t dash = text.rfind('-');
  if (dash + 1 == text.size() || text.empty()) return std::nullopt;
  if (dash != text.npos) {
    points.assign(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(dash));
    text.remove_prefix(dash + 1);
  }
  uint32_t n = 128, i = 0, bias = 72;
  while (!text.empty()) {
    const uint32_t before = i;
    uint32_t weight = 1;
    for (uint32_t k = kBase;; k += kBase) {
      if (text.empty()) return std::nullopt;
      const char c = text.front();
      text.remove_prefix(1);
      const bool letter = c >= 'a' && c <= 'z';
      if (!letter && !is_digit(c)) return std::nullopt;
      const auto digit = static_cast<uint32_t>(letter ? c - 'a' : c - '0' + 26);
      if (weight > 0x0fffffff / kBase || digit > (0x7fffffff - i) / weight) return std::nullopt;
      i += digit * weight;
      const uint32_t least = k <= bias ? kMin : std::min(k - bias, kMax);
      if (digit < least) break;
      weight *= kBase - least;
    }
    const auto count = static_cast<uint32_t>(points.size() + 1);
    uint32_t delta = before == 0 ? i / kDamp : (i - before) / 2;
    delta += delta / count;
    uint32_t k = 0;
    for (; delta > (kBase - kMin) * kMax / 2; k += kBase) delta /= kBase - kMin;
    bias = k + (kBase - kMin + 1) * delta / (delta + kSkew);
    n += i / count;
    i %= count;
    const bool stop = n == 0x3002 || (n >= 0xff00 && n <= 0xffef);
    if (stop || is_blank(n) || is_invisible(n) || n > 0x10ffff || (n >= 0xd800 && n <= 0xdfff))
      return std::nullopt;
    points.insert(points.begin() + i, static_cast<char32_t>(n));
    ++i;
  }
  std::string out;
  for (const char32_t point : points) append_utf8(point, out);
  return out;
}

std::string own_script(std::string_view domain) {
  std::string out;
  while (true) {
    const size_t dot = domain.find('.');
    const std::string_view label = domain.substr(0, dot);
    const auto decoded = label.starts_with("xn--") ? decode_punycode(label.substr(4)) : std::nullopt;
    out.append(decoded ? *decoded : label);
    if (dot == domain.npos) return out;
    out.push_back('.');
    domain.remove_prefix(dot + 1);
  }
}

// Ideographic full stops stand for dots in domains, and commas of full width between addresses.
void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

std::string_view without_marks(std::string_view text) {
  while (true) {
    const std::string_view before = text;
    text = without_guards(text);
    while (!text.empty() && kAround.find(text.front()) != kAround.npos) text.remove_prefix(1);
    while (!text.empty() && kAround.find(text.back()) != kAround.npos) text.remove_suffix(1);
    if (text == before) return text;
  }
}

bool is_dotted_domain(std::string_view domain) {
  if (domain.empty() || domain.front() == '.' || domain.back() == '.') return false;
  return domain.find('.') != domain.npos && domain.find("..") == domain.npos;
}

// Drops a label as in "邮箱:a@b.cn" and "smtp:a@b.cn". A name before an address has no colon, and neither
// has the part before the @, so the last colon ends the label.
std::string_view without_label(std::string_view text) {
  const size_t colon = text.substr(0, text.find('@')).rfind(':');
  const bool is_label = colon != text.npos && text.find('/') == text.npos;
  return is_label ? text.substr(colon + 1) : text;
}

// `text` is folded, lower case and has one @.
std::optional<std::string> read_one(std::string_view text) {
  if (text.starts_with("mailto:")) {
    text.remove_prefix(7);
    text = text.substr(0, text.find('?'));
  }
  text = without_marks(without_label(text));
  const size_t at = text.find('@');
  if (at == text.npos || at == 0) return std::nullopt;
  const bool printable = std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) > ' ' && c != '\x7f' && kNeverInside.find(c) == kNeverInside.npos;
  });
  if (!printable || !is_dotted_domain(text.substr(at + 1))) return std::nullopt;
  return std::string(text.substr(0, at + 1)) + own_script(text.substr(at + 1));
}

// Gives what stands in the brackets of "Li Na <li@example.com>". A mail program puts names into quotation
// marks.
std::string_view without_name(std::string_view text) {
  const size_t open = text.rfind('<');
  const size_t close = text.rfind('>');
  if (open == text.npos || close == text.npos || close < open) return text;
  const std::string_view inside = text.substr(open + 1, close - open - 1);
  return inside.find('@') == inside.npos ? text : inside;
}

// Reads a text with more than one @. Pieces without one, such as names, are passed over, and equal
// addresses are one. Of two different ones nobody knows which is the customer's, so neither is taken.
NormalValue read_several(std::string_view text) {
  std::string only;
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of(",;|/ \t\r\n"), text.size());
    const std::string_view piece = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (piece.find('@') == piece.npos) continue;
    if (std::count(piece.begin(), piece.end(), '@') > 1) return {LeftOut::kInvalid, {}};
    auto address = read_one(without_name(piece));
    if (!address) return {LeftOut::kInvalid, {}};
    if (!only.empty() && only != *address) return {LeftOut::kSeveral, {}};
    only = *std::move(address);
  }
  return {LeftOut::kNo, only};
}

}  // namespace

NormalValue read_email(std::string_view value) {
  std::string text = lowercase(fold_width(without_guards(value)));
  if (!is_plain(text)) {
    text = without_invisible(text);
    for (const std::string_view stop : {"。", "｡"}) replace_all(text, stop, ".");
    for (const std::string_view comma : {"，", "、", "；"}) replace_all(text, comma, ",");
  }
  const auto ats = std::count(text.begin(), text.end(), '@');
  if (ats == 0) return {LeftOut::kInvalid, {}};
  if (ats > 1) return read_several(text);
  auto address = read_one(without_name(text));
  return address ? NormalValue{LeftOut::kNo, *std::move(address)} : NormalValue{LeftOut::kInvalid, {}};
}

}  // namespace kehu
