#include <gtest/gtest.h>

#include "base/text.h"
#include "rows/row.h"
#include "rows/window.h"

namespace kehu::rows {
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

TEST(JsonDocuments, ElementsOfAListWithinObjectsAreRows) {
  RowSpec spec;
  spec.name = "m.toml";
  spec.file.format = FileFormat::kNdjson;
  spec.columns = {"u"};
  const std::string long_text(Window::kLongestRow + 10, 'x');
  struct Case {
    const char* name;
    std::vector<std::string> list;
    std::string given;
    const char* want;
  };
  const Case cases[] = {
      {"around it",
       {"data"},
       R"({"code":0,"ok":true,"data":[{"u":"a"},{"u":"b"}],"next":null})",
       "1 t:a\n2 t:b\n"},
      {"over lines",
       {"data"},
       "{\n \"n\" : 2 ,\n \"data\" : [\n  {\"u\":\"a\"},\n  {\"u\":\"b\"}\n ]\n}\n",
       "1 t:a\n2 t:b\n"},
      {"deeper",
       {"result", "rows"},
       R"({"a":{"rows":[{"u":"no"}]},"result":{"n":[1,[2]],"rows":[{"u":"a"}],"z":{}},"y":[]})",
       "1 t:a\n"},
      {"pages",
       {"data"},
       "{\"data\":[{\"u\":\"a\"}],\"x\":[{\"u\":\"no\"}]}\n{\"data\":[]}\n{\"data\":[{\"u\":\"b\"}]}\n",
       "1 t:a\n2 t:b\n"},
      {"texts with brackets",
       {"data"},
       R"({"a":"]}\"\\","data\"":"[","data":[{"u":"]}"}],"z":"]"})",
       "1 t:]}\n"},
      {"an escaped name", {"数据"}, R"({"\u6570\u636e":[{"u":"a"}]})", "1 t:a\n"},
      {"what is large is passed over",
       {"data"},
       cat(R"({"a":")", long_text, R"(","b":[")", long_text, R"("],"data":[{"u":"a"}]})"),
       "1 t:a\n"},
      {"a broken element",
       {"data"},
       "{\"data\":[\n{\"u\":\"a\"},\n{\"u\":},\n{\"u\":\"c\"}\n]}",
       "1 t:a\n2! invalid_json\n3 t:c\n"},
      {"cut off",
       {"data"},
       R"({"data":[{"u":"a"},{"u")",
       "1 t:a\nf: the JSON ends too early; the file was cut off, fetch it again"},
      {"cut off behind",
       {"data"},
       R"({"data":[{"u":"a"}],"x":)",
       "1 t:a\nf: the JSON ends too early; the file was cut off, fetch it again"},
      {"none",
       {"data"},
       R"({"rows":[{"u":"a"}]})",
       "f: there is no list \"data\" in object 1, as [file] of m.toml says"},
      {"no list",
       {"data"},
       R"({"data":{"u":"a"}})",
       "f: there is no list \"data\" in object 1, as [file] of m.toml says"},
      {"no object",
       {"a", "b"},
       R"({"a":[{"u":"a"}]})",
       "f: there is no list \"a.b\" in object 1, as [file] of m.toml says"},
  };
  for (const Case& c : cases) {
    for (const size_t step : {1u, 7u, 1u << 20}) {
      if (step < 100 && c.given.size() > 10'000) continue;
      spec.file.list = c.list;
      EXPECT_EQ(rows_of(read_json_documents(spec, bytes_of(c.given, step), "f")), c.want)
          << c.name << ", " << step;
    }
  }
}

TEST(NdjsonReader, ValuesKeepTheirType) {
  RowSpec spec;
  spec.file.format = FileFormat::kNdjson;
  spec.columns = {"id", "user.name", "tags"};
  const char* text =
      "{\"id\":1.50,\"user\":{\"name\":\"\\u674e\"},\"tags\":[1,2]}\n"
      "\n"
      "{\"id\":\"x\",\"user\":null,\"tags\":true}\r\n"
      "{\"id\":\n"
      "[1]\n"
      "\"\xff\"\n"
      "{\"id\":\"\"}";
  for (const size_t step : {1u, 5u, 1000u}) {
    EXPECT_EQ(rows_of(read_ndjson(spec, bytes_of(text, step))),
              "1 n:1.50 t:李 j:[1,2]\n3 t:x ~ b:true\n4! invalid_json\n5! not_an_object\n6! invalid_utf8\n7 "
              "~ ~ ~\n");
  }
}

TEST(JsonDocuments, ElementsAreRows) {
  RowSpec spec;
  spec.file.format = FileFormat::kNdjson;
  spec.columns = {"u"};
  struct Case {
    const char* name;
    const char* given;
    const char* want;
  };
  const Case cases[] = {
      {"one to a line", "[\n {\"u\":\"a\"},\n {\"u\":\"b\"}\n]\n", "1 t:a\n2 t:b\n"},
      {"all in one line", "[{\"u\":\"a\"},{\"u\":\"b\"}, {\"u\":3}]", "1 t:a\n2 t:b\n3 n:3\n"},
      {"spread over lines", "{\n  \"u\": \"a\",\n  \"v\": {\n    \"w\": 1\n  }\n}\n{\n  \"u\": \"b\"\n}\n",
       "1 t:a\n2 t:b\n"},
      {"braces in texts", "[{\"u\":\"}]{\"},{\"u\":\"\\\"]\"}]", "1 t:}]{\n2 t:\"]\n"},
      {"arrays behind one another", "[{\"u\":1}]\n[{\"u\":2}]", "1 n:1\n2 n:2\n"},
      {"other elements", "[1, \"x, y\", null, [{\"u\":1}], {\"u\":2}]",
       "1! not_an_object\n2! not_an_object\n3! not_an_object\n4! not_an_object\n5 n:2\n"},
      {"a broken one", "[\n {\"u\":1},\n {\"u\":},\n {\"u\":3}\n]", "1 n:1\n2! invalid_json\n3 n:3\n"},
      {"one without its end", "[\n {\"u\":1},\n {\"u\":2,\n {\"u\":3}\n]", "1 n:1\n2! invalid_json\n3 n:3\n"},
      {"a text without its end", "[\n {\"u\":1},\n {\"u\":\"2},\n {\"u\":3},\n {\"u\":4}\n]",
       "1 n:1\n2! unreadable_row\n3 n:3\n4 n:4\n"},
      {"an unclosed one in a line", "[{\"u\":1},{\"u\":{{2},{\"u\":3}]", "1 n:1\n2! unreadable_row\n"},
      {"cut within an element",
       "[{\"u\":1},\n{\"u\":", "1 n:1\nf: the JSON ends too early; the file was cut off, fetch it again"},
      {"cut within a text", "[\n {\"u\":1},\n {\"u\":\"]",
       "1 n:1\nf: the JSON ends too early; the file was cut off, fetch it again"},
      {"cut behind a list in an element", "[{\"u\":1},{\"u\":[1]",
       "1 n:1\nf: the JSON ends too early; the file was cut off, fetch it again"},
      {"cut between elements", "[{\"u\":1},\n",
       "1 n:1\nf: the JSON ends too early; the file was cut off, fetch it again"},
      {"without its bracket", "[\n{\"u\":1}\n",
       "1 n:1\nf: the JSON ends too early; the file was cut off, fetch it again"},
      {"an object that is cut",
       "{\n\"u\":1\n}\n{\n\"u\":", "1 n:1\nf: the JSON ends too early; the file was cut off, fetch it again"},
      {"commas and no brackets", "{\"u\":1},\n{\"u\":2},\n", "1 n:1\n2 n:2\n"},
      {"a sequence of RFC 7464", "\x1e{\"u\":1}\n\x1e{\"u\":}\n\x1e{\"u\":3}\n",
       "1 n:1\n2! invalid_json\n3 n:3\n"},
      {"empty", "[]", ""},
      {"bytes that are no text", "[{\"u\":\"\xff\"},{\"u\":2}]", "1! invalid_utf8\n2 n:2\n"},
  };
  for (const Case& c : cases) {
    for (const size_t step : {1u, 7u, 1000u})
      EXPECT_EQ(rows_of(read_json_documents(spec, bytes_of(c.given, step), "f")), c.want)
          << c.name << ", " << step;
  }
  const std::string large = cat("[\n{\"u\":\"", std::string(Window::kLongestRow, 'x'), "\"},\n{\"u\":2}\n]");
  EXPECT_EQ(rows_of(read_json_documents(spec, bytes_of(large), "f")).substr(0, 20), "1! unreadable_row\n2 ");
}

TEST(LogReader, NamedGroupsAreColumns) {
  RowSpec spec;
  spec.file.format = FileFormat::kLog;
  spec.file.pattern = *text::Pattern::compile(R"re((?P<ip>\S+) "(?P<path>[^"]*)"(?: (?P<ms>\d+))?)re");
  spec.file.nulls = {"-"};
  spec.columns = {"ms", "ip"};
  EXPECT_EQ(rows_of(read_log(spec, bytes_of("1.2.3.4 \"/a\" 12\n- \"/b\"\nnonsense\n"))),
            "1 t:12 t:1.2.3.4\n2 ~ ~\n3! unreadable_row\n");
}

TEST(LineReaders, ALineThatNeverEndsIsOneBrokenRow) {
  RowSpec spec;
  spec.file.format = FileFormat::kNdjson;
  spec.columns = {"id"};
  const std::string text = "{\"id\":1}\n" + std::string(3 * Window::kLongestRow, 'x') + "\n{\"id\":2}\n";
  for (const size_t step : {1000u, 1'000'000u}) {
    EXPECT_EQ(rows_of(read_ndjson(spec, bytes_of(text, step))), "1 n:1\n2! unreadable_row\n3 n:2\n");
  }
}

}  // namespace
}  // namespace kehu::rows
