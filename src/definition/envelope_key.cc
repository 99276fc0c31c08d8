#include "definition/envelope_key.h"

#include "absl/strings/escaping.h"
#include "base/civil_day.h"
#include "base/text.h"
#include "json/document.h"
#include "json/writer.h"

namespace kehu::definition {

std::string to_json(const seal::EnvelopeKey& key) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("version", key.version.value()).field("created", format_utc(key.created));
  writer.field("public_key", key.public_key);
  writer.field("sealed_private_key", absl::Base64Escape(to_absl(key.sealed_private))).end_object();
  return out;
}

absl::StatusOr<seal::EnvelopeKey> parse_envelope_key(std::string_view text) {
  auto document = json::Document::parse(text);
  if (!document.ok()) return document.status();
  const json::Value root = document->root();
  const auto version = root.find("version").as_int();
  const auto created = parse_iso8601(root.find("created").as_string().value_or(""));
  const auto public_key = root.find("public_key").as_string();
  const auto sealed = root.find("sealed_private_key").as_string();
  seal::EnvelopeKey key;
  if (!version || *version < 1 || *version > UINT32_MAX || !created || !public_key || !sealed ||
      !absl::Base64Unescape(to_absl(*sealed), &key.sealed_private)) {
    return failure(
        absl::StatusCode::kInvalidArgument,
        "envelope key definition: it needs `version`, `created`, `public_key` and `sealed_private_key`");
  }
  key.version = seal::EnvelopeVersion(static_cast<uint32_t>(*version));
  key.created = *created;
  key.public_key = *public_key;
  return key;
}

}  // namespace kehu::definition
