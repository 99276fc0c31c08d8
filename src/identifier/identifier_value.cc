#include "identifier/identifier_value.h"

#include <algorithm>

#include "identifier/nobody.h"
#include "identifier/normal_value.h"
#include "model/characters.h"
#include "model/spreadsheet.h"

namespace kehu {
namespace {

bool any_matches(const std::vector<std::string>& patterns, std::string_view text) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return matches(pattern, text); });
}

bool project_knows_nobody(const Settings& settings, std::string_view value) {
  return !settings.nobody.empty() && any_matches(settings.nobody, folded_nobody(value));
}

bool begins_with_a_guard(char c) { return c == '"' || c == '\'' || c == '`' || c == '='; }

// A number that is not spelt with digits alone: 2001.0, 1e3.
bool may_be_spelt(std::string_view text) {
  const size_t sign = text.front() == '-' || text.front() == '+' ? 1 : 0;
  size_t at = sign;
  while (at < text.size() && is_digit(text[at])) ++at;
  return at > sign && at < text.size() && (text[at] == '.' || lower(text[at]) == 'e');
}

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

// True when reading the value cannot change it, which spares a copy: the usual case. It may say no too
// often, which only costs time, and never yes too often, or one person would have two tokens.
bool is_normal_already(Normaliser normaliser, std::string_view text) {
  if (normaliser != Normaliser::kTrim && normaliser != Normaliser::kLowercase) return false;
  if (begins_with_a_guard(text.front()) || !is_plain(text)) return false;
  if (normaliser == Normaliser::kLowercase && std::any_of(text.begin(), text.end(), is_upper)) return false;
  if (!may_be_spelt(text)) return true;
  const PlainNumber number = number_in_text(text);
  return number.left_out == LeftOut::kNo && number.text.empty();
}

}  // namespace

std::string folded_nobody(std::string_view value) { return lowercase(without_guards(fold_width(value))); }

bool is_blocked(const Settings& settings, const IdentifierRule& rule, std::string_view value) {
  return names_nobody(value) || any_matches(rule.blocked, value) || project_knows_nobody(settings, value);
}

// One reading for every door: HTTP, WebSocket, messages and files. When each door spelt a number in its
// own way, the same JSON was another person when it was imported (docs/decisions/identifier_values.md).
// Whether a value names nobody is asked of what was sent and again of what became of it, since reading may
// uncover a word of the table.
IdentifierValue read_identifier(const Settings& settings, const IdentifierRule& rule, std::string_view value,
                                Written written, std::string& scratch) {
  const IdentifierValue blocked{LeftOut::kBlocked, value};
  if (names_nobody(value) || project_knows_nobody(settings, value)) return blocked;
  std::string_view text = value;
  std::string plain;
  if (written == Written::kAsNumber) {
    PlainNumber number = plain_number(value);
    if (number.left_out != LeftOut::kNo) return {number.left_out, value};
    plain = std::move(number.text);
    if (!plain.empty()) text = plain;
  }
  const bool unchanged = plain.empty() && is_normal_already(rule.normaliser, text);
  if (!unchanged) {
    NormalValue read = read_value(rule.normaliser, text);
    if (read.left_out != LeftOut::kNo) return {read.left_out, value};
    scratch = std::move(read.text);
    text = scratch;
    if (text != value && names_nobody(text)) return blocked;
  }
  if (any_matches(rule.blocked, text)) return blocked;
  return {LeftOut::kNo, text};
}

}  // namespace kehu
