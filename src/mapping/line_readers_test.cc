#include <gtest/gtest.h>

#include "base/text.h"
#include "mapping/row.h"
#include "mapping/window.h"

namespace kehu::mapping {
namespace {

std::string rows_of(absl::StatusOr<std::unique_ptr<RowReader>> reader) {
  if (!reader.ok()) return message_of(reader.status());
  std::string out;
  Row row;
  while (true) {
    const auto any = (*reader)->next(row);
    if (!any.ok()) return out + message_of(any.status());
    if (!*any) return out;
    out.append(cat(row.line));
    if (row.fault) {
      out.append(cat("! ", to_string(row.fault->reason), "\n"));
      continue;
    }
    for (const Cell& cell : row.cells) {
      static constexpr const char* kMarks[] = {" ~", " t:", " n:", " b:", " j:"};
      out.append(kMarks[static_cast<size_t>(cell.kind)]).append(cell.text);
    }
    out.append("\n");
  }
}

TEST(NdjsonReader, ValuesKeepTheirType) {
  Mapping mapping;
  mapping.file.format = FileFormat::kNdjson;
  mapping.columns = {"id", "user.name", "tags"};
  const char* text =
      "{\"id\":1.50,\"user\":{\"name\":\"\\u674e\"},\"tags\":[1,2]}\n"
      "\n"
      "{\"id\":\"x\",\"user\":null,\"tags\":true}\r\n"
      "{\"id\":\n"
      "[1]\n"
      "\"\xff\"\n"
      "{\"id\":\"\"}";
  for (const size_t step : {1u, 5u, 1000u}) {
    EXPECT_EQ(rows_of(read_ndjson(mapping, bytes_of(text, step))),
              "1 n:1.50 t:李 j:[1,2]\n3 t:x ~ b:true\n4! invalid_json\n5! not_an_object\n6! invalid_utf8\n7 "
              "~ ~ ~\n");
  }
}

TEST(LogReader, NamedGroupsAreColumns) {
  Mapping mapping;
  mapping.file.format = FileFormat::kLog;
  mapping.file.pattern = *Pattern::compile(R"re((?P<ip>\S+) "(?P<path>[^"]*)"(?: (?P<ms>\d+))?)re");
  mapping.file.nulls = {"-"};
  mapping.columns = {"ms", "ip"};
  EXPECT_EQ(rows_of(read_log(mapping, bytes_of("1.2.3.4 \"/a\" 12\n- \"/b\"\nnonsense\n"))),
            "1 t:12 t:1.2.3.4\n2 ~ ~\n3! unreadable_row\n");
}

TEST(LineReaders, ALineThatNeverEndsIsOneBrokenRow) {
  Mapping mapping;
  mapping.file.format = FileFormat::kNdjson;
  mapping.columns = {"id"};
  const std::string text = "{\"id\":1}\n" + std::string(3 * Window::kLongestRow, 'x') + "\n{\"id\":2}\n";
  for (const size_t step : {1000u, 1'000'000u}) {
    EXPECT_EQ(rows_of(read_ndjson(mapping, bytes_of(text, step))), "1 n:1\n2! unreadable_row\n3 n:2\n");
  }
}

}  // namespace
}  // namespace kehu::mapping
