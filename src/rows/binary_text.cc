#include "rows/binary_text.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "base/text.h"
#include "json/text.h"

namespace kehu::rows {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::string bytes_of(std::string_view escaped) {
  std::string out;
  for (size_t i = 0; i < escaped.size(); ++i) {
    const bool code = escaped.substr(i).starts_with("\\x") && i + 3 < escaped.size() &&
                      hex_digit(escaped[i + 2]) >= 0 && hex_digit(escaped[i + 3]) >= 0;
    if (!code) {
      out.push_back(escaped[i]);
      continue;
    }
    out.push_back(static_cast<char>(hex_digit(escaped[i + 2]) * 16 + hex_digit(escaped[i + 3])));
    i += 3;
  }
  return out;
}

}  // namespace

std::string binary_text(std::string_view escaped) {
  std::string bytes = bytes_of(escaped);
  const std::string_view text = std::string_view(bytes).substr(0, bytes.find_last_not_of('\0') + 1);
  const bool controls = std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x09; });
  if (json::is_valid_utf8(text) && !controls) return std::string(text);
  return absl::BytesToHexString(to_absl(bytes));
}

std::string with_binary_texts(std::string_view json) {
  std::string out, scratch;
  size_t at = 0;
  while (at < json.size()) {
    const size_t begin = json.find('"', at);
    out.append(json.substr(at, begin - at));
    if (begin == json.npos) break;
    size_t end = begin + 1;
    while (end < json.size() && json[end] != '"') end += json[end] == '\\' ? 2 : 1;
    end = std::min(end + 1, json.size());
    json::append_literal(binary_text(json::unescape(json.substr(begin, end - begin), scratch)), out);
    at = end;
  }
  return out;
}

}  // namespace kehu::rows
