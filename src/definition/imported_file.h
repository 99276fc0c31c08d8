#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/hash.h"
#include "base/time.h"
#include "model/ids.h"

namespace kehu::definition {

// A file that was imported, kept so that it is recognised when it comes again: grown, saved anew by another
// program, packed, rotated or renamed. What its rows' message ids begin with is its key, for ever.
struct ImportedFile {
  SourceId source;
  std::string key;   // "orders.csv@3f9a0c…"
  std::string file;  // its name without directories, of the first import
  std::string mapping = {};
  // How it begins: hash of so many first rows (see FileHead in rows/file_head.h).
  uint64_t head_rows = 0;
  Hash128 head = {};
  bool whole = false;  // these were all its rows
  // Of a file that was one row whose line had no end yet: that row's bytes and their hash. More of it may
  // come.
  uint64_t open_first_bytes = 0;
  Hash128 open_first = {};
  // The last row that was read while its line had no end: its line (0: none) and the hash of what it said.
  uint64_t open_line = 0;
  Hash128 open_row = {};
  // Which events are its own: those whose message ids begin with the key, or, when rows have ids of their
  // own, those of its source that came while it was imported, if nobody else could send meanwhile.
  bool ids_by_position = true;
  bool alone = false;
  Instant begun = {};  // the last import
  std::optional<Instant> ended = {};
  uint64_t rows = 0;  // of the last import that ended
  uint64_t events = 0;
  bool complete = false;  // it could be read to its end
};

std::string to_json(const ImportedFile& file);
absl::StatusOr<ImportedFile> parse_imported_file(std::string_view json);

// A name without what packing, rotation and copying add to it: "app.log.2.gz", "app.log-20261101" and
// "app (1).log" are of the family "app.log"; "orders.ndjson" and "orders.jsonl" of "orders.json".
std::string file_family(std::string_view name);

// A file that is about to be imported.
struct FileBeginning {
  SourceId source;
  std::string file;            // name without directories
  std::vector<Hash128> heads;  // of the first row, the first two, …
  // The rows tell their times themselves. Two small files of equal rows are then one, whatever their names;
  // without times, equal rows of two days may well be different events.
  bool own_times = false;
  std::vector<Hash128> former_heads = {};  // as earlier versions hashed them
  std::string first_row = {};              // its bytes, without quotes
};

// True when a file that begins so, of this family, is the one that was imported before.
bool is_known_as(const ImportedFile& known, const FileBeginning& beginning, std::string_view family);

}  // namespace kehu::definition
