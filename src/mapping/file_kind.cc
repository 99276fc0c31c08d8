#include "mapping/file_kind.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <optional>
#include <string>

#include "base/text.h"

namespace kehu::mapping {
namespace {

using namespace std::string_view_literals;

struct Kind {
  std::string_view magic;
  size_t at;
  std::string_view name;
  std::string_view advice;
};

constexpr Kind kOrc{"ORC"sv, 0, "an ORC file", "write it as Parquet first"};
constexpr std::array kKinds = {
    Kind{"\x28\xb5\x2f\xfd"sv, 0, "packed by Zstandard", "unpack it with `zstd -d` first"},
    Kind{"\xfd\x37zXZ\0"sv, 0, "packed by xz", "unpack it with `unxz` first"},
    Kind{"\x31\x41\x59\x26\x53\x59"sv, 4, "packed by bzip2", "unpack it with `bunzip2` first"},
    Kind{"\x04\x22\x4d\x18"sv, 0, "packed by LZ4", "unpack it with `lz4 -d` first"},
    Kind{"\x1f\x9d"sv, 0, "packed by compress", "unpack it with `gunzip` first"},
    Kind{"\x1f\x8b"sv, 0, "packed by gzip twice", "unpack it with `gunzip` first"},
    Kind{"7z\xbc\xaf\x27\x1c"sv, 0, "an archive of 7-Zip", "unpack it with `7z x` first"},
    Kind{"Rar!\x1a\x07"sv, 0, "a RAR archive", "unpack it first"},
    Kind{"ustar"sv, 257, "a tar archive", "unpack it with `tar -xf` first"},
    Kind{"PK\x03\x04"sv, 0, "a zip archive", "unpack it with `unzip` first"},
    Kind{"PK\x05\x06"sv, 0, "an empty zip archive", "make it again"},
    Kind{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"sv, 0, "an old workbook (.xls), or a workbook with a password",
         "save it as .xlsx or CSV, without a password"},
    Kind{"PAR1"sv, 0, "a Parquet file", "write format = \"parquet\""},
    Kind{"PARE"sv, 0, "an encrypted Parquet file", "write it without encryption"},
    Kind{"Obj\x01"sv, 0, "an Avro file", "write it as Parquet or NDJSON first"},
    Kind{"ARROW1"sv, 0, "an Arrow file", "write it as Parquet first"},
    Kind{"SQLite format 3\0"sv, 0, "a SQLite database", "export the table as CSV first"},
    Kind{"%PDF-"sv, 0, "a PDF document", "export its rows as CSV first"},
    Kind{"\x89PNG\r\n\x1a\n"sv, 0, "a PNG image", "export its rows as CSV first"},
};

const Kind* kind_of(std::string_view bytes) {
  // Three letters may begin a text, which has no zeros.
  if (bytes.starts_with(kOrc.magic) && bytes.find('\0') != bytes.npos) return &kOrc;
  const auto found = std::find_if(kKinds.begin(), kKinds.end(), [&](const Kind& kind) {
    return bytes.size() > kind.at && bytes.substr(kind.at).starts_with(kind.magic);
  });
  if (found == kKinds.end()) return nullptr;
  if (found->at == 4 && !bytes.starts_with("BZh")) return nullptr;
  return &*found;
}

std::string_view without_mark_and_blanks(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  return text;
}

bool begins_with_word(std::string_view text, std::string_view lower_case) {
  return text.size() >= lower_case.size() &&
         std::equal(lower_case.begin(), lower_case.end(), text.begin(),
                    [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); });
}

std::optional<std::string_view> markup_of(std::string_view bytes) {
  const std::string_view text = without_mark_and_blanks(bytes);
  for (const std::string_view begin : {"<!doctype html", "<html", "<table", "<meta", "<head", "<body"}) {
    if (begins_with_word(text, begin)) return "an HTML page, whatever its name";
  }
  if (!begins_with_word(text, "<?xml")) return std::nullopt;
  return bytes.find("urn:schemas-microsoft-com:office:spreadsheet") != bytes.npos
             ? "a workbook as XML of 2003"
             : "XML";
}

absl::Status wrong_kind(std::string_view path, std::string_view kind, std::string_view advice) {
  return failure(absl::StatusCode::kInvalidArgument, path, " is ", kind, ": ", advice);
}

bool is_packed(std::string_view path) {
  std::ifstream file(std::string(path), std::ios::binary);
  char magic[2] = {};
  return file.read(magic, sizeof magic) && std::string_view(magic, sizeof magic) == "\x1f\x8b";
}

// A zip archive that a spreadsheet program wrote, by the names of its first parts.
absl::Status check_sheet(const Mapping& mapping, std::string_view path, std::string_view bytes) {
  if (!is_zip(bytes)) return absl::OkStatus();
  if (bytes.find("mimetypeapplication/vnd.oasis.opendocument") != bytes.npos)
    return wrong_kind(path, "an OpenDocument file", "save it as .xlsx or CSV");
  const auto has = [&](std::string_view part) { return bytes.find(part) != bytes.npos; };
  const bool other = has("word/") || has("ppt/") || has("META-INF/");
  if (other || !(has("xl/") || has("[Content_Types].xml") || has("docProps/"))) return absl::OkStatus();
  const bool table =
      mapping.file.format == rows::FileFormat::kCsv || mapping.file.format == rows::FileFormat::kXlsx;
  const std::string format = cat("write format = \"xlsx\" into [file] of ", mapping.name);
  if (is_packed(path))
    return wrong_kind(path, "a workbook (.xlsx) that is packed by gzip",
                      cat("unpack it with `gunzip` first", table ? "" : " and ", table ? "" : format));
  if (table)
    return wrong_kind(path, "a workbook (.xlsx) that cannot be read", "save it again or fetch it again");
  return wrong_kind(path, "a workbook (.xlsx)", format);
}

std::string advice_of(const Mapping& mapping, const Kind& kind) {
  const bool format = kind.magic == "PAR1";
  return format ? cat(kind.advice, " into [file] of ", mapping.name) : std::string(kind.advice);
}

// The text is what follows a comma that is in no object.
bool begins_element(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r"), text.size()));
  return text.starts_with('{') || text.starts_with('\n');
}

// How a line that begins with `{` goes on. A cut row of NDJSON is followed by a row; a member is spread
// JSON, and behind a comma stands an element of a list without brackets.
bool goes_on_in_next_line(std::string_view text) {
  int depth = 0;
  bool in_text = false;
  size_t at = 0;
  for (; at < text.size() && text[at] != '\n'; ++at) {
    if (in_text) {
      if (text[at] == '\\')
        ++at;
      else if (text[at] == '"')
        in_text = false;
      continue;
    }
    if (depth == 0 && text[at] == ',' && at > 0) return begins_element(text.substr(at + 1));
    in_text = text[at] == '"';
    depth += (text[at] == '{' || text[at] == '[') - (text[at] == '}' || text[at] == ']');
  }
  if (at >= text.size() || depth <= 0) return false;
  const std::string_view next = without_mark_and_blanks(text.substr(at));
  return next.starts_with('"') || next.starts_with('}') || next.starts_with(']');
}

// No line that begins as an object or array does. One that does is enough: the others are broken rows.
bool has_no_json(const rows::FileSpec& file, std::string_view first_bytes) {
  std::string bare(first_bytes);  // of UTF-16 the letters of ASCII
  std::erase(bare, '\0');
  std::string_view text = bare;
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) text.remove_prefix(2);
  bool other = false;
  for (uint64_t line = 0; !text.empty(); ++line) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view begin = without_mark_and_blanks(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line < file.skip_lines || begin.empty()) continue;
    if (begin.front() == '{' || begin.front() == '[' || begin.front() == '\x1e') return false;
    other = true;
  }
  return other;
}

}  // namespace

bool is_zip(std::string_view first_bytes) { return first_bytes.starts_with("PK\x03\x04"); }

bool is_json_document(std::string_view first_bytes) {
  const std::string_view text = without_mark_and_blanks(first_bytes);
  return text.starts_with('[') || text.starts_with('\x1e') ||
         (text.starts_with('{') && goes_on_in_next_line(text));
}

absl::Status check_kind(const Mapping& mapping, std::string_view path, std::string_view first_bytes) {
  if (auto status = check_sheet(mapping, path, first_bytes); !status.ok()) return status;
  if (const Kind* kind = kind_of(first_bytes)) return wrong_kind(path, kind->name, advice_of(mapping, *kind));
  if (mapping.file.format == rows::FileFormat::kXlsx) {
    return wrong_kind(path, "no workbook (.xlsx)",
                      cat("if it is text, write format = \"csv\" into [file] of ", mapping.name));
  }
  if (mapping.file.format == rows::FileFormat::kLog) return absl::OkStatus();
  if (const auto markup = markup_of(first_bytes))
    return wrong_kind(path, *markup, "open it in a spreadsheet program and save it as .xlsx or CSV");
  if (mapping.file.format == rows::FileFormat::kNdjson && has_no_json(mapping.file, first_bytes)) {
    return wrong_kind(path, "no JSON: no line begins with {",
                      cat("if it is CSV, write format = \"csv\" into [file] of ", mapping.name));
  }
  if (mapping.file.format != rows::FileFormat::kCsv) return absl::OkStatus();
  const std::string_view text = without_mark_and_blanks(first_bytes);
  const std::string_view inner = text.size() > 1 ? without_mark_and_blanks(text.substr(1)) : "";
  const bool json =
      (text.starts_with('{') && inner.starts_with('"')) || (text.starts_with('[') && inner.starts_with('{'));
  if (!json) return absl::OkStatus();
  return wrong_kind(path, "JSON", cat("write format = \"ndjson\" into [file] of ", mapping.name));
}

absl::Status check_parquet(const Mapping& mapping, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string head(512, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<size_t>(std::max<std::streamsize>(0, file.gcount())));
  file.clear();
  char tail[4] = {};
  file.seekg(-4, std::ios::end);
  file.read(tail, sizeof tail);
  if (head.starts_with("PAR1")) {
    if (std::string_view(tail, sizeof tail) == "PAR1" && head.size() > 8) return absl::OkStatus();
    return failure(absl::StatusCode::kInvalidArgument, path,
                   " is a Parquet file without its end: it was cut off, fetch it again");
  }
  if (head.starts_with("\x1f\x8b"))
    return wrong_kind(path, "no Parquet file but packed by gzip", "unpack it with `gunzip` first");
  if (auto status = check_sheet(mapping, path, head); !status.ok()) return status;
  if (const Kind* kind = kind_of(head))
    return wrong_kind(path, cat("no Parquet file but ", kind->name), kind->advice);
  const bool text = head.find('\0') == head.npos;
  const std::string_view json =
      is_json_document(head) || without_mark_and_blanks(head).starts_with('{') ? "\"ndjson\"" : "\"csv\"";
  return wrong_kind(path, "no Parquet file",
                    text ? cat("it looks like text; write format = ", json, " into [file] of ", mapping.name)
                         : std::string("its first bytes are not PAR1; write it again"));
}

}  // namespace kehu::mapping
