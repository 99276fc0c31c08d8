#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "base/time.h"
#include "json/writer.h"

// The actions of a Delta log (github.com/delta-io/delta PROTOCOL.md, reader version 1, writer version 2) and
// their JSON lines.
namespace kehu::delta {

struct AddFile {
  std::string path;  // relative to the table, percent-encoding undone
  std::map<std::string, std::string> partition;
  uint64_t size = 0;
  Instant modified;
  std::string stats;                 // JSON text, or empty
  std::optional<uint32_t> checksum;  // CRC-32C of the file's bytes, unless another writer made it
};

struct RemoveFile {
  std::string path;
  std::map<std::string, std::string> partition;
  uint64_t size = 0;
  Instant deleted;
  std::optional<uint32_t> checksum;
};

struct TableMetadata {
  std::string id;
  std::string schema;  // Delta's schemaString
  std::vector<std::string> partition_columns;
  std::string configuration = "{}";  // JSON object
  Instant created;
};

struct TableProtocol {
  int reader = 1;
  int writer = 2;
};

// The appId of Kehu's transactions: their version is the log position that the table holds all rows up to.
inline constexpr char kApplication[] = "kehu";

// What a table is after some version.
struct TableState {
  int64_t version = -1;
  TableProtocol protocol;
  TableMetadata metadata;
  std::map<std::string, AddFile> files;
  std::map<std::string, RemoveFile> removed;    // tombstones, until their files are deleted
  std::map<std::string, int64_t> transactions;  // by application
};

// Each appends one line.
void append_add(const AddFile& file, bool data_change, std::string& out);
void append_remove(const RemoveFile& file, std::string& out);
void append_transaction(std::string_view application, int64_t version, std::string& out);
void append_metadata(const TableMetadata& metadata, std::string& out);
void append_protocol(const TableProtocol& protocol, std::string& out);
struct CommitInfo {
  Instant time;
  std::string_view operation;  // "WRITE", "OPTIMIZE"…
  bool blind_append = true;
};
// Writes the action up to its last field; the caller adds fields of its own and ends the two objects.
inline constexpr std::string_view kEngineName = "Kehu/1";
void begin_commit_info(const CommitInfo& info, json::Writer& writer);

// What one action line changes beside adding or removing files; for finding conflicts.
struct ActionEffect {
  bool metadata = false;
  bool protocol = false;
};

// Applies one line of a commit or checkpoint. InvalidArgument when it is not an action.
absl::Status apply_action(std::string_view line, TableState& state, ActionEffect& effect);

// Numbers that Kehu reads back out of AddFile::stats.
struct FileStats {
  uint64_t rows = 0;
  int64_t first_time = INT64_MIN;
  int64_t last_time = INT64_MAX;
  uint64_t last_sequence = UINT64_MAX;
};
FileStats parse_stats(std::string_view stats);

}  // namespace kehu::delta
