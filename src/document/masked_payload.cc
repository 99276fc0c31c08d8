#include "document/masked_payload.h"

#include "json/document.h"
#include "json/writer.h"
#include "seal/masked_text.h"
#include "seal/masks.h"

namespace kehu::document {
namespace {

constexpr size_t kShownBytes = 4096;

// The document is at most limits::kJsonDepth deep.
void write(const json::Value& value, bool personal, const Settings& settings, json::Writer& writer) {
  if (value.is_object()) {
    writer.begin_object();
    for (const auto& member : value) {
      writer.key(member.key);
      write(member.value, personal || seal::is_personal_field(member.key, settings), settings, writer);
    }
    writer.end_object();
  } else if (value.is_array()) {
    writer.begin_array();
    for (const auto& element : value) write(element.value, personal, settings, writer);
    writer.end_array();
  } else if (value.is_string() && (personal || seal::looks_personal(*value.as_string()))) {
    writer.value(seal::mask(*value.as_string()));
  } else if (value.is_number() && personal) {
    writer.value(seal::mask(value.raw()));
  } else {
    writer.raw(value.raw());
  }
}

}  // namespace

std::string masked_payload(std::string_view text, const Settings& settings) {
  const auto document = json::Document::parse(text);
  std::string out;
  json::Writer writer(out);
  if (!document.ok()) {
    writer.value(seal::masked_text(text, settings, kShownBytes));
    return out;
  }
  write(document->root(), false, settings, writer);
  return out;
}

}  // namespace kehu::document
