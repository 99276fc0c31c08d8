#include "lake/lake.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>

#include "base/check.h"
#include "base/text.h"
#include "duck/database.h"
#include "lake/columns.h"
#include "lake/event_rows.h"
#include "lake/owners.h"
#include "lake/parquet_writer.h"
#include "lake/table.h"
#include "lake/tail.h"

namespace kehu::lake {
namespace {

constexpr char kRowsFunction[] = "tail_rows";
constexpr char kMovesFunction[] = "tail_moves";
// A stretch of the log without any row is committed only when it is long: it costs a version of the table,
// and replaying it costs nothing.
constexpr uint64_t kEmptyCommitEvery = 100'000;
constexpr Duration kRetryPause = Duration::seconds(5);

std::string select_rows(const TableSchema& schema, const std::string& from) {
  return cat("SELECT ", column_list(schema), " FROM ", from);
}

absl::Status empty_directory(os::FileSystem& files, const std::string& directory) {
  if (absl::Status status = files.create_directories(directory); !status.ok()) return status;
  auto names = files.list(directory);
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (absl::Status status = files.remove(directory + "/" + name); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

// One table with its uncommitted rows. commit() belongs to the lake thread, compact() to the maintenance
// thread.
struct Stream {
  const TableSchema& schema;
  std::string function;  // reads rows of the tail by id
  duck::ScanRegistry registry;
  Tail tail;
  std::unique_ptr<Table> table;
  std::unique_ptr<ParquetWriter> writer;
  std::unique_ptr<ParquetWriter> compactor;

  Stream(const TableSchema& the_schema, std::string the_function)
      : schema(the_schema), function(std::move(the_function)), tail(the_schema.columns) {}
};

class Lake::Core {
 public:
  explicit Core(LakeOptions options) : options_(std::move(options)), rows_(options_.settings) {}

  absl::Status open();
  absl::Status append(absl::Span<const Row> rows);
  absl::Status move(absl::Span<const Move> moves);
  absl::Status commit(Sequence up_to);
  absl::StatusOr<bool> maintain();
  std::shared_ptr<const Snapshot> snapshot() const;
  LakeCounters counters() const;
  Sequence committed() const { return Sequence(committed_.load()); }
  void set_settings(std::shared_ptr<const Settings> settings) { rows_.set_settings(std::move(settings)); }
  uint64_t tail_rows() const {
    const std::lock_guard lock(snapshot_mutex_);
    return events_.tail.rows();
  }
  const std::string& directory() const { return options_.directory; }

 private:
  absl::Status open(Stream& stream);
  absl::StatusOr<std::unique_ptr<ParquetWriter>> make_writer(Stream& stream);
  absl::Status load_owners();
  absl::Status load_owners_from(duck::Result& result);
  absl::StatusOr<std::vector<AddFile>> write_tail(Stream& stream);
  absl::Status commit(Stream& stream, Sequence up_to);
  absl::Status commit_tails(Sequence up_to);
  absl::StatusOr<bool> compact(Stream& stream);
  absl::StatusOr<AddFile> merge_files(Stream& stream, const std::vector<std::string>& paths);
  uint64_t tail_bytes() const { return events_.tail.bytes() + identity_.tail.bytes(); }
  Duration now() const { return options_.clock->monotonic(); }

  LakeOptions options_;
  EventRows rows_;
  // Registries first: the database's functions refer to them.
  Stream events_{events_schema(), kRowsFunction};
  Stream identity_{identity_schema(), kMovesFunction};
  std::unique_ptr<duck::Database> database_;
  std::shared_ptr<Owners> owners_ = std::make_shared<Owners>();
  std::atomic<uint64_t> committed_{0};
  Sequence last_row_;
  std::optional<Duration> failed_at_;  // the last commit

  // Held while a version of a table is made and shown, so that versions are shown in their order.
  std::mutex publish_mutex_;
  // Guards what a snapshot is made of: tails, shown files, moved_, and the counters.
  mutable std::mutex snapshot_mutex_;
  std::shared_ptr<const FileSet> shown_events_;
  std::shared_ptr<const FileSet> shown_identity_;
  Sequence moved_;
  LakeCounters counters_;

  std::shared_ptr<const FileSet>& shown(const Stream& stream) {
    return &stream == &events_ ? shown_events_ : shown_identity_;
  }
};

absl::Status Lake::Core::open() {
  const std::string temp = options_.temp_directory;
  if (absl::Status status = empty_directory(*options_.files, temp); !status.ok()) return status;
  auto database = duck::Database::open(
      {.memory_bytes = options_.memory_bytes, .threads = options_.threads, .temp_directory = temp});
  if (!database.ok()) return database.status();
  database_ = *std::move(database);
  for (Stream* stream : {&events_, &identity_}) {
    if (absl::Status status = open(*stream); !status.ok()) return status;
  }
  committed_ = events_.table->committed().value();
  last_row_ = committed();
  // Moves are committed before the rows of the same stretch, so they may be ahead after a crash.
  moved_ = std::max(committed(), identity_.table->committed());
  return load_owners();
}

absl::StatusOr<std::unique_ptr<ParquetWriter>> Lake::Core::make_writer(Stream& stream) {
  auto connection = database_->connect();
  if (!connection.ok()) return connection.status();
  return std::make_unique<ParquetWriter>(stream.schema, stream.table->directory(), *options_.files,
                                         *options_.clock, *std::move(connection));
}

absl::Status Lake::Core::open(Stream& stream) {
  TableOptions options{options_.directory + "/" + stream.schema.name, options_.files, options_.clock,
                       options_.checkpoint_every, options_.retention};
  auto table = Table::open(stream.schema, options, *database_);
  if (!table.ok()) return table.status();
  stream.table = *std::move(table);
  shown(stream) = stream.table->files();
  absl::Status status = database_->add_scan(stream.function, stream.schema.columns, stream.registry.source());
  if (!status.ok()) return status;
  for (std::unique_ptr<ParquetWriter>* writer : {&stream.writer, &stream.compactor}) {
    auto made = make_writer(stream);
    if (!made.ok()) return made.status();
    *writer = *std::move(made);
  }
  return absl::OkStatus();
}

absl::Status Lake::Core::load_owners() {
  if (shown_identity_->files.empty()) return absl::OkStatus();
  std::string list;
  for (const auto& file : shown_identity_->files)
    list += cat(list.empty() ? "" : ", ", duck::quote(file->path));
  auto connection = database_->connect();
  if (!connection.ok()) return connection.status();
  auto result = (*connection)
                    ->query(cat("SELECT sequence, part, customer_id FROM read_parquet([", list,
                                "]) ORDER BY sequence"));
  if (!result.ok()) return result.status();
  return load_owners_from(*result);
}

absl::Status Lake::Core::load_owners_from(duck::Result& result) {
  duck::Batch batch;
  while (true) {
    auto more = result.next(batch);
    if (!more.ok()) return more.status();
    if (!*more) return absl::OkStatus();
    for (size_t row = 0; row < batch.rows(); ++row) {
      const auto part = Hash128::from_hex(batch.text(1, row));
      const auto customer = Hash128::from_hex(batch.text(2, row));
      if (!part || !customer) {
        return failure(absl::StatusCode::kDataLoss, identity_.table->directory(), ": the move at sequence ",
                       batch.integer(0, row), " has no readable part or customer");
      }
      owners_->set(Token{*part}, CustomerId{*customer},
                   Sequence(static_cast<uint64_t>(batch.integer(0, row))));
    }
  }
}

absl::Status Lake::Core::append(absl::Span<const Row> rows) {
  const Duration start = now();
  if (tail_bytes() > 2 * options_.tail_bytes) {
    return failure(absl::StatusCode::kResourceExhausted, "the lake has ", tail_bytes() >> 20,
                   " MB of rows that it could not commit; free disk space or look at the error before");
  }
  uint64_t taken = 0;
  for (const Row& row : rows) {
    if (row.sequence <= committed()) continue;
    KEHU_CHECK(row.sequence >= last_row_);
    last_row_ = row.sequence;
    rows_.add(row, events_.tail);
    ++taken;
  }
  {
    const std::lock_guard lock(snapshot_mutex_);
    events_.tail.publish();
    counters_.rows_appended += taken;
    counters_.append_time = counters_.append_time + (now() - start);
  }
  // A full tail is large: not again with every batch when it could not be written a moment ago.
  const bool tired = failed_at_ && now() - *failed_at_ < kRetryPause;
  return tail_bytes() > options_.tail_bytes && !tired ? commit(last_row_) : absl::OkStatus();
}

absl::Status Lake::Core::move(absl::Span<const Move> moves) {
  const Sequence known = identity_.table->committed();
  Sequence last = moved_;
  for (const Move& move : moves) {
    if (move.sequence <= known || move.sequence <= committed()) continue;
    add_move(move, identity_.tail);
    owners_->set(move.part, move.customer, move.sequence);
    last = std::max(last, move.sequence);
  }
  const std::lock_guard lock(snapshot_mutex_);
  identity_.tail.publish();
  moved_ = last;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<AddFile>> Lake::Core::write_tail(Stream& stream) {
  std::vector<AddFile> written;
  for (size_t slot = 0; slot < stream.tail.slots(); ++slot) {
    const int64_t id = stream.registry.add(stream.tail.parts_of(slot));
    auto file = stream.writer->write(select_rows(stream.schema, cat(stream.function, "(", id, ")")),
                                     stream.tail.partition(slot));
    stream.registry.remove(id);
    if (!file.ok()) {
      for (const AddFile& done : written) stream.writer->discard(done);
      return file.status();
    }
    written.push_back(*std::move(file));
  }
  return written;
}

absl::Status Lake::Core::commit(Stream& stream, Sequence up_to) {
  auto written = write_tail(stream);
  if (!written.ok()) return written.status();
  const Duration start = now();
  const std::lock_guard publishing(publish_mutex_);
  if (absl::Status status = stream.table->append(*written, up_to); !status.ok()) {
    // With DataLoss the version may name these files: only opening again can tell.
    if (!absl::IsDataLoss(status)) {
      for (const AddFile& file : *written) stream.writer->discard(file);
    }
    return status;
  }
  const std::lock_guard lock(snapshot_mutex_);
  if (&stream == &events_) counters_.rows_committed += stream.tail.rows();
  counters_.files_written += written->size();
  for (const AddFile& file : *written) counters_.bytes_written += file.size;
  counters_.log_time = counters_.log_time + (now() - start);
  counters_.write_time = events_.writer->write_time() + identity_.writer->write_time();
  counters_.sync_time = events_.writer->sync_time() + identity_.writer->sync_time();
  ++counters_.commits;
  shown(stream) = stream.table->files();
  stream.tail.clear();
  return absl::OkStatus();
}

absl::Status Lake::Core::commit(Sequence up_to) {
  const absl::Status status = commit_tails(up_to);
  failed_at_ = status.ok() ? std::nullopt : std::optional(now());
  if (status.ok()) return status;
  const std::lock_guard lock(snapshot_mutex_);
  ++counters_.failed_commits;
  return status;
}

absl::Status Lake::Core::commit_tails(Sequence up_to) {
  KEHU_CHECK(up_to >= last_row_);
  const bool rows = events_.tail.rows() > 0;
  const bool moves = identity_.tail.rows() > 0;
  if (!rows && !moves && up_to.value() < committed_ + kEmptyCommitEvery) return absl::OkStatus();
  if (moves) {
    if (absl::Status status = commit(identity_, up_to); !status.ok()) return status;
  }
  if (absl::Status status = commit(events_, up_to); !status.ok()) return status;
  committed_ = up_to.value();
  last_row_ = up_to;
  return absl::OkStatus();
}

absl::StatusOr<AddFile> Lake::Core::merge_files(Stream& stream, const std::vector<std::string>& paths) {
  std::string list;
  uint64_t rows = 0;
  std::string partition;
  for (const std::string& path : paths) {
    const auto file = stream.table->find_file(path);
    if (!file) return failure(absl::StatusCode::kAborted, path, " is no longer in the table");
    list += cat(list.empty() ? "" : ", ", duck::quote(stream.table->directory() + "/" + path));
    rows += parse_stats(file->stats).rows;
    if (stream.schema.by_month) partition = file->partition.at("month");
  }
  auto merged = stream.compactor->write(
      cat(select_rows(stream.schema, cat("read_parquet([", list, "], hive_partitioning = false)")),
          " ORDER BY ", stream.schema.cluster),
      partition);
  if (!merged.ok()) return merged.status();
  const uint64_t written = parse_stats(merged->stats).rows;
  if (written == rows) return merged;
  stream.compactor->discard(*merged);
  return failure(absl::StatusCode::kDataLoss, "compaction of ", paths.size(), " files of ",
                 stream.table->directory(), " read ", written, " rows where the log says ", rows,
                 "; the files were left as they are");
}

absl::StatusOr<bool> Lake::Core::compact(Stream& stream) {
  const auto paths = stream.table->find_small_files({options_.file_bytes, options_.small_files});
  if (paths.empty()) return false;
  auto merged = merge_files(stream, paths);
  if (absl::IsAborted(merged.status())) return true;
  if (!merged.ok()) return merged.status();
  const std::lock_guard publishing(publish_mutex_);
  absl::Status status = stream.table->replace(paths, {*merged});
  if (!status.ok() && !absl::IsDataLoss(status)) stream.compactor->discard(*merged);
  if (absl::IsAborted(status)) return true;
  if (!status.ok()) return status;
  const std::lock_guard lock(snapshot_mutex_);
  shown(stream) = stream.table->files();
  ++counters_.compactions;
  return true;
}

absl::StatusOr<bool> Lake::Core::maintain() {
  bool busy = false;
  for (Stream* stream : {&events_, &identity_}) {
    auto compacted = compact(*stream);
    if (!compacted.ok()) return compacted.status();
    auto deleted = stream->table->vacuum();
    if (!deleted.ok()) return deleted.status();
    busy = busy || *compacted || *deleted > 0;
  }
  return busy;
}

std::shared_ptr<const Snapshot> Lake::Core::snapshot() const {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->owners = owners_;
  const std::lock_guard lock(snapshot_mutex_);
  snapshot->events = shown_events_;
  snapshot->identity_log = shown_identity_;
  snapshot->events_tail = events_.tail.parts();
  snapshot->identity_tail = identity_.tail.parts();
  snapshot->moved = moved_;
  return snapshot;
}

LakeCounters Lake::Core::counters() const {
  const std::lock_guard lock(snapshot_mutex_);
  return counters_;
}

Lake::Lake(std::unique_ptr<Core> core) : core_(std::move(core)) {}
Lake::~Lake() = default;

absl::StatusOr<std::unique_ptr<Lake>> Lake::open(LakeOptions options) {
  // DuckDB compares absolute paths with the directories that statements may read, and reads these three as
  // patterns.
  options.directory = std::filesystem::absolute(options.directory).lexically_normal().string();
  if (options.directory.find_first_of("*?[") != std::string::npos) {
    return failure(
        absl::StatusCode::kInvalidArgument, "the path ", options.directory,
        " has one of the characters * ? [, which the lake cannot have in its path; use another directory");
  }
  auto core = std::make_unique<Core>(std::move(options));
  if (absl::Status status = core->open(); !status.ok()) return status;
  return std::unique_ptr<Lake>(new Lake(std::move(core)));
}

Sequence Lake::committed() const { return core_->committed(); }
absl::Status Lake::append(absl::Span<const Row> rows) { return core_->append(rows); }
absl::Status Lake::move(absl::Span<const Move> moves) { return core_->move(moves); }
absl::Status Lake::commit(Sequence up_to) { return core_->commit(up_to); }
void Lake::set_settings(std::shared_ptr<const Settings> settings) {
  core_->set_settings(std::move(settings));
}
uint64_t Lake::tail_rows() const { return core_->tail_rows(); }
absl::StatusOr<bool> Lake::maintain() { return core_->maintain(); }
std::shared_ptr<const Snapshot> Lake::snapshot() const { return core_->snapshot(); }
LakeCounters Lake::counters() const { return core_->counters(); }
const std::string& Lake::directory() const { return core_->directory(); }

}  // namespace kehu::lake
