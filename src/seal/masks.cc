#include "seal/masks.h"

#include <vector>

#include "identifier/normal_value.h"
#include "json/text.h"
#include "model/settings.h"

namespace kehu::seal {
namespace {

constexpr std::string_view kSealedLiteral = "\"sealed:v";

std::string_view first_character(std::string_view text) {
  size_t end = text.empty() ? 0 : 1;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) ++end;
  return text.substr(0, end);
}

std::string mask_email(std::string_view address) {
  return std::string(first_character(address)) + "***" + std::string(address.substr(address.find('@')));
}

std::string mask_phone(std::string_view phone) {
  const size_t shown = phone.starts_with('+') ? 2 : 4;
  return std::string(phone.substr(0, 3)) + "****" + std::string(phone.substr(phone.size() - shown));
}

std::string mask_id_card(std::string_view card) {
  return std::string(card.substr(0, 6)) + "********" + std::string(card.substr(14));
}

std::string mask_value_json(std::string_view value_json) {
  const char first = value_json.empty() ? '\0' : value_json.front();
  if (first == '{' || first == '[') return "***";
  if (first != '"') return mask(value_json);
  std::string scratch;
  return mask(json::unescape(value_json, scratch));
}

std::string shown(const Opened& opened, bool is_json) {
  switch (opened.state) {
    case Opened::State::kValue:
      return is_json ? mask_value_json(opened.value) : mask(opened.value);
    case Opened::State::kErased:
      return "(erased)";
    case Opened::State::kDamaged:
      return "(damaged)";
  }
  return "(damaged)";
}

// A list of identifiers shows their sealed values under keys of its own, so what is no field may be one of
// them.
std::string mask_sealed(const Opener::Field& field, std::string_view text, Opener& opener) {
  const Opened opened = opener.open_field(field, text);
  if (opened.state != Opened::State::kDamaged) return shown(opened, true);
  return shown(opener.open_identifier(field.owner, text), false);
}

// The end of the string literal that begins at `at`; the text is valid JSON, so there is one.
size_t end_of_literal(std::string_view text, size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return at + 1;
}

bool is_key(std::string_view text, size_t after_literal) {
  const size_t next = text.find_first_not_of(" \t\r\n", after_literal);
  return next != text.npos && text[next] == ':';
}

}  // namespace

std::string mask(std::string_view value) {
  if (value.empty()) return {};
  if (const auto card = normalise(Normaliser::kIdCard, value)) return mask_id_card(*card);
  if (const auto phone = normalise(Normaliser::kChinesePhone, value)) return mask_phone(*phone);
  if (const auto email = normalise(Normaliser::kEmail, value)) return mask_email(*email);
  return std::string(first_character(value)) + "***";
}

// The text is valid JSON, so a scan for quotes and brackets is enough. Each open container remembers the
// key that it stands under, because the elements of a list have no key of their own and are sealed under
// that of the list.
std::string mask_json(std::string_view text, Opener& opener, const Opener::Field& field) {
  if (text.find(kSealedLiteral) == text.npos) return std::string(text);
  std::string out, key_scratch;
  std::string_view key;                  // the literal of the last key; empty before the first
  std::vector<std::string_view> around;  // those of the containers that are open
  size_t copied = 0;
  constexpr std::string_view kMarks = "\"{}[]";
  for (size_t at = text.find_first_of(kMarks); at < text.size(); at = text.find_first_of(kMarks, at)) {
    if (text[at] == '{' || text[at] == '[') {
      around.push_back(key);
      ++at;
      continue;
    }
    if (text[at] != '"') {
      key = around.empty() ? std::string_view() : around.back();
      if (!around.empty()) around.pop_back();
      ++at;
      continue;
    }
    const size_t end = end_of_literal(text, at);
    const std::string_view literal = text.substr(at, end - at);
    if (is_key(text, end)) {
      key = literal;
    } else if (literal.starts_with(kSealedLiteral)) {
      out.append(text.substr(copied, at - copied));
      Opener::Field at_field = field;
      if (!key.empty()) at_field.json_key = json::unescape(key, key_scratch);
      json::append_literal(mask_sealed(at_field, literal.substr(1, literal.size() - 2), opener), out);
      copied = end;
    }
    at = end;
  }
  out.append(text.substr(copied));
  return out;
}

std::string mask_identifier(std::string_view value, Opener& opener) {
  if (!Opener::is_sealed(value)) return std::string(value);
  return shown(opener.open_identifier(std::nullopt, value), false);
}

}  // namespace kehu::seal
