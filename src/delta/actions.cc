#include "delta/actions.h"

#include <charconv>

#include "base/civil_day.h"
#include "base/text.h"
#include "delta/checksum.h"
#include "json/document.h"

namespace kehu::delta {
namespace {

int64_t millis(Instant t) { return t.micros() / 1000; }

Instant instant_of(const json::Value& value) { return Instant::from_millis(value.as_int().value_or(0)); }

bool plain_in_path(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-_.~/=").find(c) != std::string_view::npos;
}

std::string encode_path(std::string_view path) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : path) {
    if (plain_in_path(c)) {
      out.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

std::string decode_path(std::string_view path) {
  std::string out;
  for (size_t i = 0; i < path.size(); ++i) {
    unsigned byte = 0;
    if (path[i] == '%' && i + 2 < path.size() &&
        std::from_chars(path.data() + i + 1, path.data() + i + 3, byte, 16).ptr == path.data() + i + 3) {
      out.push_back(static_cast<char>(byte));
      i += 2;
    } else {
      out.push_back(path[i]);
    }
  }
  return out;
}

void write_partition(json::Writer& writer, const std::map<std::string, std::string>& partition) {
  writer.key("partitionValues").begin_object();
  for (const auto& [name, value] : partition) writer.field(name, value);
  writer.end_object();
}

std::map<std::string, std::string> read_partition(const json::Value& value) {
  std::map<std::string, std::string> partition;
  for (const json::Value::Member& member : value) {
    partition[member.key] = member.value.as_string().value_or("");
  }
  return partition;
}

// In the tags of an action, which other readers keep or pass over.
constexpr std::string_view kChecksumTag = "kehu.crc32c";

void write_checksum(json::Writer& writer, std::optional<uint32_t> checksum) {
  if (!checksum) return;
  writer.key("tags").begin_object().field(kChecksumTag, checksum_text(*checksum)).end_object();
}

std::optional<uint32_t> read_checksum(const json::Value& action) {
  const auto text = action.find("tags").find(kChecksumTag).as_string();
  return text ? parse_checksum(*text) : std::nullopt;
}

void apply_add(const json::Value& add, TableState& state) {
  AddFile file;
  file.path = decode_path(add.find("path").as_string().value_or(""));
  file.partition = read_partition(add.find("partitionValues"));
  file.size = static_cast<uint64_t>(add.find("size").as_int().value_or(0));
  file.modified = instant_of(add.find("modificationTime"));
  file.stats = add.find("stats").as_string().value_or("");
  file.checksum = read_checksum(add);
  state.removed.erase(file.path);
  state.files[file.path] = std::move(file);
}

// A removed file stays known until its retention is over. The `remove` of another writer may lack our tags,
// and then the checksum is taken over from the `add`, so that the file can still be compared until it is
// deleted.
void apply_remove(const json::Value& remove, TableState& state) {
  RemoveFile file;
  file.path = decode_path(remove.find("path").as_string().value_or(""));
  file.partition = read_partition(remove.find("partitionValues"));
  file.size = static_cast<uint64_t>(remove.find("size").as_int().value_or(0));
  file.deleted = instant_of(remove.find("deletionTimestamp"));
  file.checksum = read_checksum(remove);
  if (const auto added = state.files.find(file.path); added != state.files.end()) {
    if (!file.checksum) file.checksum = added->second.checksum;
    state.files.erase(added);
  }
  state.removed[file.path] = std::move(file);
}

void apply_metadata(const json::Value& value, TableState& state) {
  TableMetadata metadata;
  metadata.id = value.find("id").as_string().value_or("");
  metadata.schema = value.find("schemaString").as_string().value_or("");
  for (const json::Value::Member& name : value.find("partitionColumns")) {
    metadata.partition_columns.push_back(name.value.as_string().value_or(""));
  }
  if (value.find("configuration").is_object()) metadata.configuration = value.find("configuration").raw();
  metadata.created = instant_of(value.find("createdTime"));
  state.metadata = std::move(metadata);
}

int64_t time_bound(const json::Value& bounds, int64_t otherwise) {
  const auto text = bounds.find("time").as_string();
  const auto time = text ? parse_iso8601(*text) : std::nullopt;
  return time ? time->micros() : otherwise;
}

}  // namespace

void append_add(const AddFile& file, bool data_change, std::string& out) {
  json::Writer writer(out);
  writer.begin_object().key("add").begin_object().field("path", encode_path(file.path));
  write_partition(writer, file.partition);
  writer.field("size", file.size).field("modificationTime", millis(file.modified));
  writer.field("dataChange", data_change);
  if (!file.stats.empty()) writer.field("stats", file.stats);
  write_checksum(writer, file.checksum);
  writer.end_object().end_object();
  out.push_back('\n');
}

void append_remove(const RemoveFile& file, std::string& out) {
  json::Writer writer(out);
  writer.begin_object().key("remove").begin_object().field("path", encode_path(file.path));
  writer.field("deletionTimestamp", millis(file.deleted)).field("dataChange", false);
  writer.field("extendedFileMetadata", true);
  write_partition(writer, file.partition);
  writer.field("size", file.size);
  write_checksum(writer, file.checksum);
  writer.end_object().end_object();
  out.push_back('\n');
}

void append_transaction(std::string_view application, int64_t version, std::string& out) {
  json::Writer writer(out);
  writer.begin_object().key("txn").begin_object().field("appId", application).field("version", version);
  writer.end_object().end_object();
  out.push_back('\n');
}

void append_metadata(const TableMetadata& metadata, std::string& out) {
  json::Writer writer(out);
  writer.begin_object().key("metaData").begin_object().field("id", metadata.id);
  writer.key("format").begin_object().field("provider", "parquet");
  writer.key("options").begin_object().end_object().end_object();
  writer.field("schemaString", metadata.schema).key("partitionColumns").begin_array();
  for (const std::string& name : metadata.partition_columns) writer.value(name);
  writer.end_array().raw_field("configuration", metadata.configuration);
  writer.field("createdTime", millis(metadata.created)).end_object().end_object();
  out.push_back('\n');
}

void append_protocol(const TableProtocol& protocol, std::string& out) {
  json::Writer writer(out);
  writer.begin_object().key("protocol").begin_object().field("minReaderVersion", protocol.reader);
  writer.field("minWriterVersion", protocol.writer).end_object().end_object();
  out.push_back('\n');
}

void begin_commit_info(const CommitInfo& info, json::Writer& writer) {
  writer.begin_object().key("commitInfo").begin_object().field("timestamp", millis(info.time));
  writer.field("operation", info.operation).key("operationParameters").begin_object();
  if (info.blind_append) writer.field("mode", "Append");
  writer.end_object().field("isBlindAppend", info.blind_append).field("engineInfo", kEngineName);
}

// Actions of kinds that are not known are passed over: what a reader must know is said by the protocol's
// versions, which the table checks.
absl::Status apply_action(std::string_view line, TableState& state, ActionEffect& effect) {
  auto document = json::Document::parse(line);
  if (!document.ok()) return document.status();
  const json::Value root = document->root();
  if (!root.is_object()) return absl::InvalidArgumentError("an action is not a JSON object");
  if (const json::Value add = root.find("add"); add.is_object()) apply_add(add, state);
  if (const json::Value remove = root.find("remove"); remove.is_object()) apply_remove(remove, state);
  if (const json::Value metadata = root.find("metaData"); metadata.is_object()) {
    apply_metadata(metadata, state);
    effect.metadata = true;
  }
  if (const json::Value protocol = root.find("protocol"); protocol.is_object()) {
    state.protocol.reader = static_cast<int>(protocol.find("minReaderVersion").as_int().value_or(0));
    state.protocol.writer = static_cast<int>(protocol.find("minWriterVersion").as_int().value_or(0));
    effect.protocol = true;
  }
  if (const json::Value txn = root.find("txn"); txn.is_object()) {
    state.transactions[txn.find("appId").as_string().value_or("")] = txn.find("version").as_int().value_or(0);
  }
  return absl::OkStatus();
}

FileStats parse_stats(std::string_view text) {
  FileStats stats;
  auto document = json::Document::parse(text);
  if (!document.ok()) return stats;
  const json::Value root = document->root();
  stats.rows = static_cast<uint64_t>(root.find("numRecords").as_int().value_or(0));
  stats.first_time = time_bound(root.find("minValues"), stats.first_time);
  stats.last_time = time_bound(root.find("maxValues"), stats.last_time);
  // Delta cuts times to milliseconds, so the true maximum may lie up to one above.
  if (stats.last_time != INT64_MAX) stats.last_time += 999;
  const auto last = root.find("maxValues").find("sequence").as_int();
  if (last && *last >= 0) stats.last_sequence = static_cast<uint64_t>(*last);
  return stats;
}

}  // namespace kehu::delta
