#include "delta/table.h"

#include <algorithm>
#include <atomic>

#include "base/text.h"
#include "delta/parquet_writer.h"
#include "json/document.h"
#include "os/random.h"

namespace kehu::delta {
namespace {

constexpr int kAttempts = 100;
constexpr size_t kVacuumStep = 1000;
constexpr int64_t kVersionsKept = 20'000;
constexpr int64_t kVersionsPerTrim = 100;

std::string new_table_id() {
  std::string id = os::random_hex(16);
  for (const size_t at : {8, 13, 18, 23}) id.insert(at, 1, '-');
  return id;
}

std::string month_of(const std::map<std::string, std::string>& partition) {
  const auto found = partition.find("month");
  return found == partition.end() ? "" : found->second;
}

// The types of the columns by name, from Delta's schemaString; empty when it cannot be read.
std::map<std::string, std::string> column_types(const std::string& schema) {
  std::map<std::string, std::string> types;
  auto document = json::Document::parse(schema);
  if (!document.ok()) return types;
  for (const json::Value::Member& field : document->root().find("fields")) {
    types[field.value.find("name").as_string().value_or("")] =
        field.value.find("type").as_string().value_or("");
  }
  return types;
}

std::shared_ptr<const DataFile> data_file(const std::string& directory, const AddFile& add) {
  const FileStats stats = parse_stats(add.stats);
  auto file = std::make_shared<DataFile>();
  file->path = directory + "/" + add.path;
  file->partition = month_of(add.partition);
  file->size = add.size;
  file->rows = stats.rows;
  file->first_time = stats.first_time;
  file->last_time = stats.last_time;
  file->last_sequence = Sequence(stats.last_sequence);
  file->checksum = add.checksum;
  return file;
}

}  // namespace

Table::Table(const TableSchema& schema, const TableOptions& options,
             std::unique_ptr<duck::Connection> connection)
    : schema_(schema), options_(options), log_(options.directory, *options.files, std::move(connection)) {}

absl::StatusOr<std::unique_ptr<Table>> Table::open(const TableSchema& schema, const TableOptions& options,
                                                   duck::Database& database) {
  auto connection = database.connect();
  if (!connection.ok()) return connection.status();
  std::unique_ptr<Table> table(new Table(schema, options, *std::move(connection)));
  if (absl::Status status = table->load_or_create(); !status.ok()) return status;
  if (absl::Status status = table->check(); !status.ok()) return status;
  table->publish();
  return table;
}

absl::Status Table::load_or_create() {
  if (absl::Status status = log_.prepare(); !status.ok()) return status;
  auto state = log_.load();
  if (!state.ok()) return state.status();
  state_ = *std::move(state);
  if (state_.version >= 0) return absl::OkStatus();
  state_.metadata = {new_table_id(), delta_schema(schema_), {}, "{}", options_.clock->now()};
  if (schema_.by_month) state_.metadata.partition_columns.push_back("month");
  std::string lines;
  append_protocol(state_.protocol, lines);
  append_metadata(state_.metadata, lines);
  if (absl::Status status = log_.create_version(0, {options_.clock->now(), "CREATE TABLE", true}, lines);
      !status.ok())
    return status;
  state_.version = 0;
  return absl::OkStatus();
}

absl::Status Table::check() const {
  if (state_.protocol.reader > 1 || state_.protocol.writer > 2) {
    return failure(absl::StatusCode::kFailedPrecondition, options_.directory, " needs Delta reader version ",
                   state_.protocol.reader, " and writer version ", state_.protocol.writer,
                   "; Kehu writes tables of versions 1 and 2. Undo the change of the table's protocol");
  }
  const auto have = column_types(state_.metadata.schema);
  const auto want = column_types(delta_schema(schema_));
  for (const auto& [name, type] : want) {
    const auto found = have.find(name);
    if (found == have.end() || found->second != type) {
      return failure(absl::StatusCode::kFailedPrecondition, options_.directory, ": the column ", name,
                     " should be ", type, ". Undo the change of the table's schema");
    }
  }
  return absl::OkStatus();
}

absl::Status Table::remove_orphans_in(const std::string& folder) {
  auto names = options_.files->list(folder.empty() ? options_.directory : options_.directory + "/" + folder);
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    const std::string path = folder.empty() ? name : folder + "/" + name;
    if (!name.starts_with(kFilePrefix) || state_.files.contains(path) || state_.removed.contains(path))
      continue;
    absl::Status status = options_.files->remove(options_.directory + "/" + path);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Table::remove_orphans() {
  if (absl::Status status = remove_orphans_in(""); !status.ok()) return status;
  if (!schema_.by_month) return absl::OkStatus();
  auto names = options_.files->list(options_.directory);
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (!name.starts_with(kMonthPrefix)) continue;
    if (absl::Status status = remove_orphans_in(name); !status.ok()) return status;
  }
  return absl::OkStatus();
}

void Table::publish() {
  static std::atomic<uint64_t> next_id = 1;
  auto set = std::make_shared<FileSet>();
  set->id = next_id++;
  set->version = static_cast<uint64_t>(state_.version);
  set->files.reserve(state_.files.size());
  std::erase_if(known_, [&](const auto& file) { return !state_.files.contains(file.first); });
  for (const auto& [path, add] : state_.files) {
    std::shared_ptr<const DataFile>& file = known_[path];
    if (file == nullptr) file = data_file(options_.directory, add);
    set->files.push_back(file);
  }
  files_ = std::move(set);
}

std::shared_ptr<const FileSet> Table::files() const {
  const std::lock_guard lock(mutex_);
  return files_;
}

Sequence Table::committed() const {
  const std::lock_guard lock(mutex_);
  const auto found = state_.transactions.find(kApplication);
  return Sequence(found == state_.transactions.end() ? 0 : static_cast<uint64_t>(found->second));
}

absl::Status Table::append(const std::vector<AddFile>& added, Sequence up_to) {
  const std::lock_guard lock(mutex_);
  return commit({added, {}, up_to});
}

absl::Status Table::replace(const std::vector<std::string>& removed, const std::vector<AddFile>& added) {
  const std::lock_guard lock(mutex_);
  Commit change{added, {}, std::nullopt};
  for (const std::string& path : removed) {
    const auto found = state_.files.find(path);
    if (found == state_.files.end())
      return failure(absl::StatusCode::kAborted, path, " is no longer in the table");
    const AddFile& file = found->second;
    change.removed.push_back({path, file.partition, file.size, options_.clock->now(), file.checksum});
  }
  return commit(change);
}

// A taken number means another writer, such as an outside OPTIMIZE. What it wrote is read, and the commit
// may be tried under the next number, unless a condition of the commit no longer holds: the schema or
// protocol is not ours any more, a file that the commit removes is gone, or somebody has appended as Kehu.
// The last is seen by the position in `txn`, which only our own commits move. Two processes that both
// append would write each row twice, so this table takes no more commits.
absl::Status Table::resolve_conflict(const Commit& commit) {
  const auto transactions = state_.transactions;
  ActionEffect effect;
  if (absl::Status status = log_.load_newer(state_, effect); !status.ok()) return status;
  publish();
  if (effect.metadata || effect.protocol) {
    if (absl::Status status = check(); !status.ok()) return broken_ = status;
  }
  if (state_.transactions.contains(kApplication) &&
      (!transactions.contains(kApplication) ||
       state_.transactions.at(kApplication) != transactions.at(kApplication))) {
    return broken_ = failure(absl::StatusCode::kFailedPrecondition, "another Kehu appends to ",
                             options_.directory, ". Stop one of them and start this one again");
  }
  for (const RemoveFile& file : commit.removed) {
    if (!state_.files.contains(file.path)) {
      return failure(absl::StatusCode::kAborted, file.path, " was removed by another writer");
    }
  }
  return absl::OkStatus();
}

// DataLoss leaves it unknown whether the version is on disk. To write the same rows under the next number
// could store them twice, and to go on without them could lose them; so the table is broken until it is
// opened again, which reads what is there.
absl::Status Table::commit(const Commit& commit) {
  if (!broken_.ok()) return broken_;
  const bool rewrite = !commit.removed.empty();
  const CommitInfo info{options_.clock->now(), rewrite ? "OPTIMIZE" : "WRITE", !rewrite};
  std::string lines;
  if (commit.up_to) append_transaction(kApplication, static_cast<int64_t>(commit.up_to->value()), lines);
  for (const AddFile& file : commit.added) append_add(file, !rewrite, lines);
  for (const RemoveFile& file : commit.removed) append_remove(file, lines);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    absl::Status status = log_.create_version(state_.version + 1, info, lines);
    if (absl::IsAlreadyExists(status)) {
      if (status = resolve_conflict(commit); !status.ok()) return status;
      continue;
    }
    if (absl::IsDataLoss(status)) broken_ = status;
    if (!status.ok()) return status;
    ++state_.version;
    for (const AddFile& file : commit.added) state_.files[file.path] = file;
    for (const RemoveFile& file : commit.removed) {
      state_.files.erase(file.path);
      state_.removed[file.path] = file;
    }
    if (commit.up_to) {
      state_.transactions[kApplication] = static_cast<int64_t>(commit.up_to->value());
    }
    publish();
    for (const AddFile& file : commit.added) known_.at(file.path)->sound = true;
    // The version stands, with or without a checkpoint; a full disk may let the next one succeed.
    if (state_.version % options_.checkpoint_every == 0) log_.write_checkpoint(state_).IgnoreError();
    return absl::OkStatus();
  }
  return failure(absl::StatusCode::kUnavailable, options_.directory, ": other writers were faster ",
                 kAttempts, " times in a row");
}

std::optional<AddFile> Table::find_file(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const auto found = state_.files.find(path);
  if (found == state_.files.end()) return std::nullopt;
  return found->second;
}

std::vector<std::string> Table::find_small_files(const CompactionRule& rule) const {
  std::map<std::string, std::vector<const AddFile*>> small;
  const std::lock_guard lock(mutex_);
  for (const auto& [path, file] : state_.files) {
    if (file.size < rule.file_bytes / 2) small[month_of(file.partition)].push_back(&file);
  }
  for (auto& [month, files] : small) {
    std::sort(files.begin(), files.end(), [](const AddFile* a, const AddFile* b) {
      return std::pair(a->size, a->path) < std::pair(b->size, b->path);
    });
    // A file joins only when those below it together are about its size: so each row is rewritten a
    // logarithmic number of times, however small the commits are.
    uint64_t bytes = 0;
    std::vector<std::string> chosen;
    for (const AddFile* file : files) {
      const bool first = chosen.size() < 2;
      if (bytes + file->size > rule.file_bytes || (!first && file->size > 2 * bytes)) break;
      bytes += file->size;
      chosen.push_back(file->path);
    }
    const bool worth = chosen.size() >= static_cast<size_t>(rule.small_files) || bytes >= rule.file_bytes / 2;
    if (worth && chosen.size() >= 2) return chosen;
  }
  return {};
}

absl::StatusOr<Table::Held> Table::hold() {
  const std::lock_guard lock(mutex_);
  Held held;
  for (const auto& [path, file] : state_.files) held.data.push_back(path);
  auto log = log_.files_up_to(state_.version);
  if (!log.ok()) return log.status();
  held.log = std::move(log->names);
  held.pointer = std::move(log->pointer);
  ++holds_;
  return held;
}

void Table::release() {
  const std::lock_guard lock(mutex_);
  --holds_;
}

// A file that left the table is still read by statements whose snapshot is older, and by outside readers.
// So it stays for the retention, and all of them stay while a back-up holds the table. What
// `state_.removed` forgets here is gone from the next checkpoint as well.
absl::StatusOr<size_t> Table::vacuum() {
  const std::lock_guard lock(mutex_);
  if (!broken_.ok()) return broken_;
  if (holds_ > 0) return 0;
  const Instant before = options_.clock->now() - options_.retention;
  size_t deleted = 0;
  for (auto at = state_.removed.begin(); at != state_.removed.end() && deleted < kVacuumStep;) {
    if (at->second.deleted >= before) {
      ++at;
      continue;
    }
    absl::Status status = options_.files->remove(options_.directory + "/" + at->first);
    if (!status.ok() && !absl::IsNotFound(status)) return status;
    at = state_.removed.erase(at);
    ++deleted;
  }
  if (state_.version < trimmed_at_ + kVersionsPerTrim) return deleted;
  trimmed_at_ = state_.version;
  auto trimmed = log_.trim(state_.version - kVersionsKept, kVacuumStep);
  if (!trimmed.ok()) return trimmed.status();
  return deleted + *trimmed;
}

}  // namespace kehu::delta
