#include "delta/delta_log.h"

#include <algorithm>
#include <utility>

#include "base/crc32c.h"
#include "base/text.h"
#include "delta/checksum.h"
#include "os/random.h"
#include "os/whole_file.h"

namespace kehu::delta {
namespace {

constexpr std::string_view kScratchPrefix = ".kehu-";

absl::Status apply_lines(std::string_view lines, TableState& state, ActionEffect& effect) {
  while (!lines.empty()) {
    const size_t end = std::min(lines.find('\n'), lines.size());
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 1, lines.size()));
    if (line.find_first_not_of(" \r\t") == line.npos) continue;
    if (absl::Status status = apply_action(line, state, effect); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// The action columns of a classic checkpoint, as DuckDB types for reading JSON lines.
constexpr char kCheckpointColumns[] =
    "{txn: 'STRUCT(appId VARCHAR, version BIGINT, lastUpdated BIGINT)', "
    "add: 'STRUCT(path VARCHAR, partitionValues MAP(VARCHAR, VARCHAR), size BIGINT, modificationTime BIGINT, "
    "dataChange BOOLEAN, stats VARCHAR, tags MAP(VARCHAR, VARCHAR))', "
    "remove: 'STRUCT(path VARCHAR, deletionTimestamp BIGINT, dataChange BOOLEAN, extendedFileMetadata "
    "BOOLEAN, "
    "partitionValues MAP(VARCHAR, VARCHAR), size BIGINT, tags MAP(VARCHAR, VARCHAR))', "
    "metaData: 'STRUCT(id VARCHAR, name VARCHAR, description VARCHAR, format STRUCT(provider VARCHAR, "
    "options "
    "MAP(VARCHAR, VARCHAR)), schemaString VARCHAR, partitionColumns VARCHAR[], configuration MAP(VARCHAR, "
    "VARCHAR), "
    "createdTime BIGINT)', "
    "protocol: 'STRUCT(minReaderVersion INTEGER, minWriterVersion INTEGER)'}";

std::string checkpoint_lines(const TableState& state) {
  std::string lines;
  append_protocol(state.protocol, lines);
  append_metadata(state.metadata, lines);
  for (const auto& [application, version] : state.transactions)
    append_transaction(application, version, lines);
  for (const auto& [path, file] : state.files) append_add(file, false, lines);
  for (const auto& [path, file] : state.removed) append_remove(file, lines);
  return lines;
}

size_t action_count(const TableState& state) {
  return 2 + state.transactions.size() + state.files.size() + state.removed.size();
}

}  // namespace

DeltaLog::DeltaLog(const std::string& directory, os::FileSystem& files,
                   std::unique_ptr<duck::Connection> connection)
    : log_(directory + "/_delta_log"), files_(files), connection_(std::move(connection)) {}

std::string DeltaLog::scratch(const char* extension) const {
  return path(cat(kScratchPrefix, os::random_hex(8), extension));
}

absl::Status DeltaLog::sync_file(const std::string& path) {
  auto file = files_.open(path, os::OpenMode::kReadWrite);
  if (!file.ok()) return file.status();
  return (*file)->sync();
}

absl::StatusOr<TableState> DeltaLog::load_checkpoint(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += cat(list.empty() ? "" : ", ", sql_literal(path(name)));
  auto result = connection_->query(
      cat("SELECT CAST(to_json(t) AS VARCHAR) FROM read_parquet([", list, "], union_by_name = true) t"));
  if (!result.ok()) return result.status();
  TableState state;
  ActionEffect effect;
  duck::Batch batch;
  while (true) {
    auto more = result->next(batch);
    if (!more.ok()) return more.status();
    if (!*more) break;
    for (size_t row = 0; row < batch.rows(); ++row) {
      if (absl::Status status = apply_action(batch.text(0, row), state, effect); !status.ok()) return status;
    }
  }
  state.version = parse_log_name(names.front())->version;
  return state;
}

// Reads what the next version says of this one.
absl::Status DeltaLog::remember_version(int64_t version) {
  previous_.reset();
  if (!files_.exists(path(version_name(version)))) return absl::OkStatus();
  auto checksum = file_checksum(files_, path(version_name(version)));
  if (!checksum.ok()) return checksum.status();
  previous_ = *checksum;
  return absl::OkStatus();
}

// A version of Kehu's says which checksum the bytes of the one before have, so a version that was damaged
// is found by its successor, whoever wrote it.
absl::Status DeltaLog::apply_version(int64_t version, TableState& state, ActionEffect& effect) {
  const std::string name = path(version_name(version));
  const auto text = os::read_whole_file(files_, name);
  if (!text.ok()) return text.status();
  const auto marks = read_marks(*text);
  if (!marks.ok()) {
    return failure(absl::StatusCode::kDataLoss, name, " is damaged: ", message_of(marks.status()));
  }
  if (marks->previous && previous_ && *marks->previous != *previous_) {
    return failure(absl::StatusCode::kDataLoss, path(version_name(version - 1)),
                   " is damaged: its bytes do not have the checksum that the next version gives");
  }
  if (absl::Status status = apply_lines(*text, state, effect); !status.ok()) {
    return failure(absl::StatusCode::kDataLoss, name, " is damaged: ", message_of(status));
  }
  state.version = version;
  previous_ = crc32c(*text);
  checkpoint_.reset();
  return absl::OkStatus();
}

absl::StatusOr<LogMarks> DeltaLog::read_pointer() {
  if (!files_.exists(path(kPointerName))) return LogMarks{};
  const auto text = os::read_whole_file(files_, path(kPointerName));
  if (!text.ok()) return text.status();
  auto marks = read_marks(*text);
  if (marks.ok()) return marks;
  return failure(absl::StatusCode::kDataLoss, path(kPointerName), " is damaged: ", message_of(marks.status()),
                 ". Remove the file: it only makes reading faster");
}

absl::Status DeltaLog::verify_checkpoint(const std::string& name) {
  const auto pointer = read_pointer();
  if (!pointer.ok()) return pointer.status();
  if (!pointer->checkpoint || name != checkpoint_name(pointer->checkpoint->version)) return absl::OkStatus();
  if (absl::Status status = delta::verify_checkpoint(files_, path(name), *pointer->checkpoint);
      !status.ok()) {
    return status;
  }
  checkpoint_ = pointer->checkpoint;
  return absl::OkStatus();
}

absl::Status DeltaLog::prepare() {
  if (absl::Status status = files_.create_directories(log_); !status.ok()) return status;
  const auto names = files_.list(log_);
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (!name.starts_with(kScratchPrefix) && !name.ends_with(".tmp")) continue;
    if (absl::Status status = files_.remove(path(name)); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// The newest checkpoint is found by its name. `_last_checkpoint` is written behind it, so after a crash it
// may name an older one: it serves for the checksum alone. Behind the checkpoint no version may be missing,
// for each holds only what has changed since the one before.
absl::StatusOr<TableState> DeltaLog::load() {
  auto names = files_.list(log_);
  if (absl::IsNotFound(names.status())) return TableState{};
  if (!names.ok()) return names.status();
  std::vector<std::string> checkpoint;  // of the newest version that has one
  for (const std::string& name : *names) {
    const auto parsed = parse_log_name(name);
    if (!parsed || !parsed->checkpoint) continue;
    if (!checkpoint.empty() && parse_log_name(checkpoint.front())->version != parsed->version)
      checkpoint.clear();
    checkpoint.push_back(name);
  }
  TableState state;
  if (!checkpoint.empty()) {
    if (absl::Status status = verify_checkpoint(checkpoint.front()); !status.ok()) return status;
    auto loaded = load_checkpoint(checkpoint);
    if (!loaded.ok()) return loaded.status();
    state = *std::move(loaded);
    if (absl::Status status = remember_version(state.version); !status.ok()) return status;
  }
  ActionEffect effect;
  for (const std::string& name : *names) {
    const auto parsed = parse_log_name(name);
    if (!parsed || parsed->checkpoint || parsed->version <= state.version) continue;
    if (parsed->version != state.version + 1) {
      return failure(absl::StatusCode::kDataLoss, log_, ": version ", state.version + 1, " is missing");
    }
    if (absl::Status status = apply_version(parsed->version, state, effect); !status.ok()) return status;
  }
  return state;
}

// Whoever asks looks at what the versions did together: another schema, another position of ours. If some of
// them stayed behind an error, the next call would find the rest alone and take those for known.
absl::Status DeltaLog::load_newer(TableState& state, ActionEffect& effect) {
  TableState newer = state;
  ActionEffect newer_effect = effect;
  const auto previous = previous_;
  const auto checkpoint = checkpoint_;
  while (files_.exists(path(version_name(newer.version + 1)))) {
    absl::Status status = apply_version(newer.version + 1, newer, newer_effect);
    if (status.ok()) continue;
    previous_ = previous;
    checkpoint_ = checkpoint;
    return status;
  }
  state = std::move(newer);
  effect = newer_effect;
  return absl::OkStatus();
}

// The version is written and synced under a scratch name, and takes its own name only if no other file has
// it. So a version is whole or not there, and of two writers one is told AlreadyExists. When nothing but
// the last sync fails, that of the directory, the version can be read now and may still be gone after a
// power cut. That is DataLoss, and the caller must keep the data files that the version names.
absl::Status DeltaLog::create_version(int64_t version, const CommitInfo& info, std::string_view actions) {
  const os::RenamePaths paths{scratch(".json"), path(version_name(version))};
  const std::string text =
      version_text(info, {.sealed = true, .previous = previous_, .checkpoint = checkpoint_}, actions);
  auto file = files_.open(paths.from, os::OpenMode::kCreateNew);
  if (!file.ok()) return file.status();
  absl::Status status = (*file)->append(text);
  if (status.ok()) status = (*file)->sync();
  if (status.ok()) status = files_.rename_if_absent(paths);
  if (!status.ok()) {
    files_.remove(paths.from).IgnoreError();
    return status;
  }
  status = files_.sync_directory(log_);
  previous_ = crc32c(text);
  checkpoint_.reset();
  if (status.ok()) return status;
  return failure(
      absl::StatusCode::kDataLoss, "version ", version, " of ", log_,
      " was written, but it is unknown whether it would survive a power cut: ", message_of(status));
}

// A checkpoint is Parquet with nested columns. DuckDB makes it from the same JSON lines that versions have,
// so there is one writer of actions and not two. Its checksum goes into `_last_checkpoint`, and into the
// next version, which stays when another checkpoint is the last.
absl::Status DeltaLog::write_checkpoint(const TableState& state) {
  const std::string lines = scratch(".ndjson");
  const os::RenamePaths paths{scratch(".parquet"), path(checkpoint_name(state.version))};
  if (absl::Status status = os::create_whole_file(files_, {lines, scratch(".tmp")}, checkpoint_lines(state));
      !status.ok()) {
    return status;
  }
  absl::Status status =
      connection_->run(cat("COPY (FROM read_json(", sql_literal(lines), ", columns = ", kCheckpointColumns,
                           ", format = 'newline_delimited')) TO ", sql_literal(paths.from),
                           " (FORMAT parquet, COMPRESSION zstd)"));
  files_.remove(lines).IgnoreError();
  if (status.ok()) status = sync_file(paths.from);
  if (status.ok()) status = files_.rename(paths);
  if (!status.ok()) {
    files_.remove(paths.from).IgnoreError();
    return status;
  }
  if (status = files_.sync_directory(log_); !status.ok()) return status;
  const auto size = files_.file_size(paths.to);
  if (!size.ok()) return size.status();
  const auto checksum = file_checksum(files_, paths.to);
  if (!checksum.ok()) return checksum.status();
  checkpoint_ = {.version = state.version, .bytes = *size, .checksum = *checksum};
  return os::replace_whole_file(
      files_, path(kPointerName),
      pointer_text({.mark = *checkpoint_, .actions = action_count(state), .files = state.files.size()}));
}

absl::StatusOr<DeltaLog::Files> DeltaLog::files_up_to(int64_t version) {
  auto names = files_.list(log_);
  if (!names.ok()) return names.status();
  Files found;
  for (std::string& name : *names) {
    const auto parsed = parse_log_name(name);
    if (parsed && parsed->version <= version) found.names.push_back(std::move(name));
  }
  if (!files_.exists(path(kPointerName))) return found;
  auto pointer = os::read_whole_file(files_, path(kPointerName));
  if (!pointer.ok()) return pointer.status();
  found.pointer = *std::move(pointer);
  return found;
}

absl::StatusOr<size_t> DeltaLog::trim(int64_t before, size_t limit) {
  auto names = files_.list(log_);
  if (!names.ok()) return names.status();
  // This is the newest checkpoint at or below `before`: what is older serves no version from there on.
  int64_t start = -1;
  for (const std::string& name : *names) {
    const auto parsed = parse_log_name(name);
    if (parsed && parsed->checkpoint && parsed->version <= before) start = std::max(start, parsed->version);
  }
  size_t deleted = 0;
  for (const std::string& name : *names) {
    const auto parsed = parse_log_name(name);
    if (!parsed || parsed->version >= start || deleted == limit) continue;
    if (absl::Status status = files_.remove(path(name)); !status.ok()) return status;
    ++deleted;
  }
  return deleted;
}

}  // namespace kehu::delta
