#include "definition/imported_file.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/civil_day.h"
#include "base/text.h"
#include "json/document.h"
#include "json/writer.h"
#include "model/personal_values.h"

namespace kehu::definition {
namespace {

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

size_t digits_at_end(std::string_view name) {
  size_t count = 0;
  while (count < name.size() && is_digit(name[name.size() - 1 - count])) ++count;
  return count;
}

bool drop_ending(std::string& name) {
  constexpr std::array<std::string_view, 9> kEndings = {".gz",  ".bz2", ".zst",  ".xz", ".zip",
                                                        ".bak", ".old", ".orig", "~"};
  for (const std::string_view ending : kEndings) {
    if (name.size() <= ending.size() || !name.ends_with(ending)) continue;
    name.resize(name.size() - ending.size());
    return true;
  }
  return false;
}

// Drops ".3", "-20261101" or ".2026-11-01" behind an ending, which is what rotation appends.
// "orders-20261101" has no ending before it and is the file of a day, so it stays: two days must not
// become one file. One to three digits count files; 8, 10 and 14 are dates and times.
bool drop_rotation(std::string& name) {
  std::string stem = name;
  size_t digits = 0;
  while (const size_t count = digits_at_end(stem)) {
    digits += count;
    stem.resize(stem.size() - count);
    if (stem.empty() || (stem.back() != '-' && stem.back() != '.' && stem.back() != '_')) return false;
    stem.pop_back();
  }
  const bool counts = digits >= 1 && digits <= 3;
  const bool dates = digits == 8 || digits == 10 || digits == 14;
  if ((!counts && !dates) || stem.find('.') == std::string::npos) return false;
  name = std::move(stem);
  return true;
}

// Drops what browsers and file managers put into the name of a second copy: "orders (1).csv", "orders
// copy.csv".
bool drop_copy(std::string& name) {
  const size_t dot = std::min(name.rfind('.'), name.size());
  const std::string_view stem = std::string_view(name).substr(0, dot);
  size_t cut = std::string::npos;
  if (stem.ends_with(" copy") || stem.ends_with(" - Copy")) {
    cut = stem.ends_with(" copy") ? stem.size() - 5 : stem.size() - 7;
  } else if (stem.ends_with(")")) {
    const size_t digits = digits_at_end(stem.substr(0, stem.size() - 1));
    const size_t open = stem.size() - 1 - digits;
    if (digits > 0 && open > 1 && stem[open - 1] == '(') cut = open - 1 - (stem[open - 2] == ' ' ? 1 : 0);
  }
  if (cut == std::string::npos || cut == 0) return false;
  name.erase(cut, dot - cut);
  return true;
}

// NDJSON and a JSON array are one list of rows, whether with brackets or without, so their endings are
// one.
void join_json(std::string& name) {
  for (const std::string_view ending : {".ndjson", ".jsonl"}) {
    if (name.size() > ending.size() && name.ends_with(ending))
      name.replace(name.size() - ending.size(), ending.size(), ".json");
  }
}

absl::Status wrong(std::string_view what) {
  return failure(absl::StatusCode::kInvalidArgument, "definition of an imported file: ", what);
}

// The importer sends the hashes of the first row, the first two, and so on. The one for as many rows as
// the earlier import saw is compared, so the evidence is always everything that was seen of the beginning.
// A hash of the first row alone would take daily files that begin alike for one and lose rows
// (docs/decisions/recognised-files.md).
bool begins_with_rows_of(const ImportedFile& known, absl::Span<const Hash128> heads) {
  return known.head_rows > 0 && known.head_rows <= heads.size() && heads[known.head_rows - 1] == known.head;
}

// The only row of a small file is no evidence while its line has no end, because more of it may be
// written. Then its bytes are remembered by length and hash, and a file whose first row begins with them
// is this file.
bool begins_with_open_row_of(const ImportedFile& known, std::string_view first_row) {
  const uint64_t bytes = known.open_first_bytes;
  return bytes > 0 && bytes <= first_row.size() && hash128(first_row.substr(0, bytes)) == known.open_first;
}

void write_place(const char* name, const char* count_name, uint64_t count, const Hash128& hash,
                 json::Writer& writer) {
  if (count == 0) return;
  writer.key(name).begin_object().field(count_name, count).field("hash", hash.hex()).end_object();
}

}  // namespace

// Endings nest ("orders.csv.1.gz", "orders (1).csv.bak"), so they are dropped until none is left. Each
// step makes the name shorter, so it ends.
std::string file_family(std::string_view name) {
  std::string out(name);
  while (drop_ending(out) || drop_rotation(out) || drop_copy(out)) {
  }
  join_json(out);
  return out;
}

// A file of another family must have the same rows from beginning to end, which is only known of a small
// one, and they must tell their times: two days whose lists happen to be equal are two days when the time
// comes from elsewhere. Inode and device, as log shippers use them, say nothing here, since files are
// copied, packed and uploaded before they come (docs/decisions/recognised-files.md).
bool is_known_as(const ImportedFile& known, const FileBeginning& beginning, std::string_view family) {
  const bool rows =
      begins_with_rows_of(known, beginning.heads) || begins_with_rows_of(known, beginning.former_heads);
  if (!rows && !begins_with_open_row_of(known, beginning.first_row)) return false;
  // Versions before stored a name as it was, and importers of theirs send it so.
  const std::string known_family = file_family(known.file);
  const bool same =
      known_family == family || without_personal_values(known_family) == without_personal_values(family);
  return same || (rows && known.whole && beginning.own_times);
}

std::string to_json(const ImportedFile& file) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("source", file.source.value()).field("key", file.key).field("file", file.file);
  writer.field("mapping", file.mapping).field("head_rows", file.head_rows).field("head", file.head.hex());
  write_place("open_first", "bytes", file.open_first_bytes, file.open_first, writer);
  write_place("open_row", "line", file.open_line, file.open_row, writer);
  writer.field("ids_by_position", file.ids_by_position).field("alone", file.alone);
  writer.field("whole", file.whole).field("begun", format_utc(file.begun));
  if (file.ended) writer.field("ended", format_utc(*file.ended));
  writer.field("rows", file.rows).field("events", file.events).field("complete", file.complete).end_object();
  return out;
}

// Fields that earlier versions did not write are read as what those versions did: their ids went by
// position.
absl::StatusOr<ImportedFile> parse_imported_file(std::string_view text) {
  const auto document = json::Document::parse(text);
  if (!document.ok()) return document.status();
  const json::Value root = document->root();
  const auto string = [&](const char* name) { return root.find(name).as_string().value_or(""); };
  const auto number = [&](const char* name) {
    return static_cast<uint64_t>(std::max<int64_t>(0, root.find(name).as_int().value_or(0)));
  };
  const auto head = Hash128::from_hex(string("head"));
  const auto begun = parse_iso8601(string("begun"));
  ImportedFile file;
  file.source = SourceId(static_cast<uint32_t>(number("source")));
  file.key = string("key");
  if (file.source.value() == 0 || file.key.empty() || !head || !begun)
    return wrong("it needs `source`, `key`, `head` and `begun`");
  file.file = string("file");
  file.mapping = string("mapping");
  file.head_rows = number("head_rows");
  file.head = *head;
  file.whole = root.find("whole").as_bool().value_or(false);
  const auto place = [&](const char* name, const char* count_name, uint64_t& count, Hash128& hash) {
    const json::Value value = root.find(name);
    const auto read = Hash128::from_hex(value.find("hash").as_string().value_or(""));
    if (!read) return;
    hash = *read;
    count = static_cast<uint64_t>(std::max<int64_t>(0, value.find(count_name).as_int().value_or(0)));
  };
  place("open_first", "bytes", file.open_first_bytes, file.open_first);
  place("open_row", "line", file.open_line, file.open_row);
  file.ids_by_position = root.find("ids_by_position").as_bool().value_or(true);
  file.alone = root.find("alone").as_bool().value_or(false);
  file.begun = *begun;
  if (const std::string ended = string("ended"); !ended.empty()) file.ended = parse_iso8601(ended);
  file.rows = number("rows");
  file.events = number("events");
  file.complete = root.find("complete").as_bool().value_or(false);
  return file;
}

}  // namespace kehu::definition
