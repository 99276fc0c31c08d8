#include "api/masked_payload.h"

#include <algorithm>

#include "json/document.h"
#include "json/text.h"
#include "json/writer.h"
#include "seal/masks.h"

namespace kehu::api {
namespace {

constexpr size_t kShownBytes = 4096;

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) {
    return c < 0x80 ? static_cast<char>(std::tolower(c)) : static_cast<char>(c);
  });
  return out;
}

bool is_personal(std::string_view key, const Settings& settings) {
  const std::string name = lower(key);
  if (std::find(settings.personal_fields.begin(), settings.personal_fields.end(), name) !=
      settings.personal_fields.end()) {
    return true;
  }
  const auto type = settings.find_type(name);
  return type && settings.rule(*type).personal;
}

// Identifiers such as user_id may be an e-mail address or a phone number.
bool looks_personal(std::string_view value) {
  return normalise(Normaliser::kEmail, value) || normalise(Normaliser::kIdCard, value) ||
         (normalise(Normaliser::kChinesePhone, value) && value.size() >= 11);
}

// The document is at most limits::kJsonDepth deep.
void write(const json::Value& value, bool personal, const Settings& settings, json::Writer& writer) {
  if (value.is_object()) {
    writer.begin_object();
    for (const auto& member : value) {
      writer.key(member.key);
      write(member.value, personal || is_personal(member.key, settings), settings, writer);
    }
    writer.end_object();
  } else if (value.is_array()) {
    writer.begin_array();
    for (const auto& element : value) write(element.value, personal, settings, writer);
    writer.end_array();
  } else if (value.is_string() && (personal || looks_personal(*value.as_string()))) {
    writer.value(seal::mask(*value.as_string()));
  } else if (value.is_number() && personal) {
    writer.value(seal::mask(value.raw()));
  } else {
    writer.raw(value.raw());
  }
}

// Long runs of digits and the local parts of e-mail addresses are covered; all else of a broken text stays
// readable, so that a person sees what to correct.
std::string masked_text(std::string_view text) {
  constexpr size_t kShownDigits = 3;
  std::string out;
  size_t digits = 0;
  for (const char c : text.substr(0, kShownBytes)) {
    const bool digit = c >= '0' && c <= '9';
    digits = digit ? digits + 1 : 0;
    if (c == '@') {
      const size_t start =
          out.find_last_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+_-*");
      out.resize(start == std::string::npos ? 0 : start + 1);
      out += "***";
    }
    out.push_back(digits > kShownDigits ? '*' : c);
  }
  return out;
}

}  // namespace

std::string masked_payload(std::string_view text, const Settings& settings) {
  const auto document = json::Document::parse(text);
  std::string out;
  json::Writer writer(out);
  if (!document.ok()) {
    writer.value(json::is_valid_utf8(text) ? masked_text(text) : "(not UTF-8)");
    return out;
  }
  write(document->root(), false, settings, writer);
  return out;
}

}  // namespace kehu::api
