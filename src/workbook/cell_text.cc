#include "workbook/cell_text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "base/civil_day.h"

namespace kehu::workbook {
namespace {

constexpr double kLastDay = 2'958'466;  // 9999-12-31, and a day
constexpr int64_t kMillisOfDay = 86'400'000;

std::optional<double> parse(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::string time_text(int64_t millis) {
  char text[40];
  const auto hours = static_cast<long long>(millis / 3'600'000);
  const int minutes = static_cast<int>(millis / 60'000 % 60), seconds = static_cast<int>(millis / 1000 % 60);
  const int fraction = static_cast<int>(millis % 1000);
  std::snprintf(text, sizeof text, "%02lld:%02d:%02d", hours, minutes, seconds);
  std::string out = text;
  if (fraction == 0) return out;
  std::snprintf(text, sizeof text, ".%03d", fraction);
  return out + text;
}

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f'); }

// U+0000–U+FFFF; surrogates are no characters.
void append_utf8(unsigned code, std::string& out) {
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xc0 | (code >> 6)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
  } else {
    out.push_back(static_cast<char>(0xe0 | (code >> 12)));
    out.push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
  }
}

// The letters of a format's first section that are not quoted, in lower case; brackets of elapsed time as
// 'e'.
std::string letters_of(std::string_view code) {
  std::string out;
  for (size_t i = 0; i < code.size() && code[i] != ';'; ++i) {
    const char c = code[i];
    if (c == '"') {
      i = std::min(code.find('"', i + 1), code.size());
    } else if (c == '\\' || c == '_' || c == '*') {
      ++i;
    } else if (c == '[') {
      const size_t end = std::min(code.find(']', i), code.size());
      const std::string_view inner = code.substr(i + 1, end - i - 1);
      if (!inner.empty() && inner.find_first_not_of("hmsHMS") == inner.npos) out.push_back('e');
      i = end;
    } else {
      out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
    }
  }
  return out;
}

}  // namespace

NumberFormat built_in_format(int id) {
  if ((id >= 14 && id <= 17) || id == 22) return NumberFormat::kDate;
  if ((id >= 18 && id <= 21) || id == 45 || id == 47) return NumberFormat::kTime;
  if (id == 46) return NumberFormat::kElapsed;
  // What they are in Chinese, Japanese and Korean workbooks; others do not use them.
  if ((id >= 32 && id <= 35) || id == 55 || id == 56) return NumberFormat::kTime;
  if ((id >= 27 && id <= 36) || (id >= 50 && id <= 58)) return NumberFormat::kDate;
  return NumberFormat::kPlain;
}

NumberFormat format_of(std::string_view code) {
  const std::string letters = letters_of(code);
  if (letters == "general") return NumberFormat::kPlain;
  const auto has = [&](const char* any) { return letters.find_first_of(any) != letters.npos; };
  // Digits belong to numbers; a fraction of seconds ("ss.000") is the exception.
  if (has("#?") || (has("0") && !has("s"))) return NumberFormat::kPlain;
  if (has("e") && !has("yd")) return NumberFormat::kElapsed;
  if (has("yd") || (has("m") && !has("hs"))) return NumberFormat::kDate;
  return has("hs") ? NumberFormat::kTime : NumberFormat::kPlain;
}

std::string number_text(std::string_view value) {
  const auto number = parse(value);
  if (!number) return std::string(value);
  char text[64];
  if (std::fabs(*number) < 1e15 && std::floor(*number) == *number) {
    std::snprintf(text, sizeof text, "%.0f", *number == 0 ? 0.0 : *number);
    return text;
  }
  std::snprintf(text, sizeof text, "%.15g", *number);
  const std::string out = text;
  const bool tiny = out.find("e-") != out.npos && std::fabs(*number) >= 1e-9;
  if (!tiny) return out;
  const double kept = std::strtod(text, nullptr);
  return {text, std::to_chars(text, text + sizeof text, kept, std::chars_format::fixed).ptr};
}

std::string date_text(std::string_view value, NumberFormat format, bool from_1904) {
  const auto number = parse(value);
  if (!number || *number < 0 || *number >= kLastDay) return number_text(value);
  const auto millis = static_cast<int64_t>(std::llround(*number * static_cast<double>(kMillisOfDay)));
  const int64_t days = millis / kMillisOfDay, rest = millis % kMillisOfDay;
  if (format == NumberFormat::kElapsed) return time_text(millis);
  if (format == NumberFormat::kTime && days == 0) return time_text(rest);
  // Day 60 is 1900-02-29, which never was; the days before it are one later than they seem.
  const int64_t epoch = from_1904 ? -24'107 : days < 60 ? -25'568 : -25'569;
  const Instant instant((epoch + days) * kMillisOfDay * 1000);
  const std::string date = format_utc(instant).substr(0, 10);
  return rest == 0 ? date : date + " " + time_text(rest);
}

std::string without_escapes(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const std::string_view escape = text.substr(i, 7);
    const bool is_escape = escape.size() == 7 && escape.starts_with("_x") && escape[6] == '_' &&
                           is_hex(escape[2]) && is_hex(escape[3]) && is_hex(escape[4]) && is_hex(escape[5]);
    unsigned code = 0;
    if (is_escape) std::from_chars(escape.data() + 2, escape.data() + 6, code, 16);
    if (!is_escape || (code >= 0xd800 && code <= 0xdfff)) {
      out.push_back(text[i]);
      continue;
    }
    append_utf8(code, out);
    i += 6;
  }
  return out;
}

}  // namespace kehu::workbook
