// Any bytes: the quick and the careful scanner, the document and the field reader must agree, and simdjson
// with them.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "json/document.h"
#include "json/fields.h"
#include "json/index.h"
#include "json/writer.h"

namespace {

void compare_members(const kehu::json::Value& value) {
  kehu::json::FieldReader reader(value.raw());
  kehu::json::Field field;
  for (const auto& member : value) {
    KEHU_CHECK(reader.next(field));
    KEHU_CHECK(field.key == member.key && field.value.raw == member.value.raw());
    KEHU_CHECK(field.value.kind == member.value.kind());
  }
  KEHU_CHECK(!reader.next(field));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static kehu::json::Index index;
  const auto error = index.scan(text);
  const auto document = kehu::json::Document::parse(text);
  KEHU_CHECK(document.ok() == !error);
  if (error) {
    KEHU_CHECK(error->position <= size);
    return 0;
  }
  KEHU_CHECK(kehu::json::is_valid_utf8(text));
  compare_members(document->root());
  for (uint32_t i = 0; i < index.size(); ++i) {
    KEHU_CHECK(index[i].begin + index[i].size <= size && index[i].next > i && index[i].next <= index.size());
    if (index[i].kind != kehu::json::Kind::kString) continue;
    std::string scratch, written;
    kehu::json::Writer(written).value(kehu::json::unescape(index.raw(index[i]), scratch));
    KEHU_CHECK(kehu::json::Document::parse(written).ok());
  }
  return 0;
}
