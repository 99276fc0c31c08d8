#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// JSON text (RFC 8259) and its values. The only folder that knows simdjson. One verdict about what is valid
// JSON serves the whole house: Index::scan (index.h).
//
// What the RFC leaves open, decided here:
//   duplicate keys      accepted; readers take the last one
//   lone surrogates     "\ud800" is accepted and read as U+FFFD
//   NUL                 "\u0000" is accepted and read as U+0000; a NUL byte is refused like any control
//   character numbers             any size and precision is accepted, and kept as written; as_double may
//   answer ±infinity byte order mark     refused nesting             at most limits::kJsonDepth
namespace kehu::json {

enum class Kind : uint8_t { kNull, kBool, kNumber, kString, kArray, kObject };
std::string_view to_string(Kind kind);

// A value as it stands in validated text: `raw` is its text, without the space around it.
struct RawValue {
  Kind kind = Kind::kNull;
  std::string_view raw;

  bool is_null() const { return kind == Kind::kNull; }
  bool is_string() const { return kind == Kind::kString; }
  bool is_number() const { return kind == Kind::kNumber; }

  // nullopt when it is no bool, or no number that an int64 holds exactly ("3.0" and "1e2" count as integers).
  std::optional<bool> as_bool() const;
  std::optional<int64_t> as_int() const;
  std::optional<double> as_double() const;
  // The text of a string: a view into `raw` when nothing is escaped, else into `scratch`, which it
  // overwrites. Empty for other kinds.
  std::string_view as_string(std::string& scratch) const;
};

// The characters of a string literal, quotes included in `literal`; see RawValue::as_string.
std::string_view unescape(std::string_view literal, std::string& scratch);

// Appends `text` as a string literal with quotes. Bytes that are not UTF-8 become U+FFFD, so the result is
// always valid JSON.
void append_literal(std::string_view text, std::string& out);

bool is_valid_utf8(std::string_view text);
// Bytes before the first that is not UTF-8; the whole size when there is none. Slow: for error messages.
size_t valid_utf8_prefix(std::string_view text);

}  // namespace kehu::json
