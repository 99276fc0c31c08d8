// Any bytes as a CSV file, as NDJSON and as log lines: readers neither crash nor depend on how the bytes are
// cut, and every event that a row becomes is valid JSON.

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "base/text.h"
#include "json/document.h"
#include "mapping/row_mapper.h"
#include "rows/byte_source.h"
#include "rows/row.h"

namespace {

using namespace std::string_view_literals;
using kehu::mapping::Mapping;

constexpr auto kCommon = R"(
[identifiers]
user_id = { column = "a", whole = true }
[time]
column = "b"
[event]
name = [{ constant = "X", when = { column = "c", above = 1 } }, "Y"]
[properties]
a = { column = "a", type = "number", thousands = "," }
b = { multiply = ["a", "c"] }
c = ["c", "b"]
)"sv;

constexpr auto kLists = R"(
d = "a[].b"
e = { sum = ["a[]", "b[0]"] }
f = { multiply = ["a[].b", "a[].c"] }
g = { join = ["c[]", "a[-1]"] }
h = { column = "b[][]", type = "string", when = { column = "a[].b", equals = 1 } }
)"sv;

Mapping mapping(std::string_view file, std::string_view more = "") {
  auto out = Mapping::parse(kehu::cat("[file]\n", file, "\n", kCommon, more), "fuzz.toml");
  KEHU_CHECK(out.ok());
  return *std::move(out);
}

auto open(const Mapping& mapping, const std::string& bytes, size_t step) {
  auto source = kehu::rows::as_utf8(kehu::rows::bytes_of(bytes, step), mapping.file.encoding);
  KEHU_CHECK(source.ok());
  switch (mapping.file.format) {
    case kehu::rows::FileFormat::kNdjson:
      return kehu::rows::read_ndjson(mapping, *std::move(source));
    case kehu::rows::FileFormat::kLog:
      return kehu::rows::read_log(mapping, *std::move(source));
    default:
      return kehu::rows::read_csv(mapping, *std::move(source), "fuzz.csv");
  }
}

std::string mapped(const Mapping& mapping, const std::string& bytes, size_t step) {
  auto reader = open(mapping, bytes, step);
  if (!reader.ok()) return kehu::message_of(reader.status());
  kehu::mapping::RowMapper mapper(mapping);
  kehu::rows::Row row;
  row.key = "fuzz";
  kehu::mapping::MappedRow out;
  std::string all;
  while (true) {
    const auto any = (*reader)->next(row);
    KEHU_CHECK(any.ok());
    if (!*any) return all;
    mapper.map(row, out);
    KEHU_CHECK(out.event_count == 0 || kehu::json::Document::parse(out.events).ok());
    all.append(out.events).append(kehu::cat(out.line, " ", out.rejections.size(), "\n"));
    for (const auto& rejection : out.rejections) all.append(rejection.detail);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Mapping kMappings[] = {
      mapping("columns = [\"a\", \"b\", \"c\"]"),
      mapping("header = true\ndelimiter = \";\"\ntrim_header = true\ntrim = true\nencoding = \"GBK\""),
      mapping("format = \"ndjson\"", kLists),
      mapping("format = \"log\"\npattern = '(?P<a>\\S*) (?P<b>[^,]*),(?P<c>.*)'"),
  };
  if (size < 2) return 0;
  const size_t step = data[0] % 16 + 1u;
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  for (const Mapping& mapping : kMappings)
    KEHU_CHECK(mapped(mapping, bytes, step) == mapped(mapping, bytes, SIZE_MAX));
  return 0;
}
