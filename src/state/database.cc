#include "state/database.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/sst_file_writer.h>
#include <rocksdb/table.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "os/posix_file_system.h"
#include "state/closed_mark.h"
#include "state/table_checksum.h"

// RocksDB is used as a set of sorted, immutable files: it never sees a single write. With its own
// write-ahead log every changed customer would be written and synced a second time, at 500 k events/s more
// bytes than the events themselves; through a memtable 300–350 k values/s take a core. So the dirty keys
// are sorted once, written in order into one table file and ingested. Ingestion is atomic, and the log
// position is one of the keys: after a crash the database holds the whole checkpoint or nothing of it
// (docs/decisions/checkpoints.md).
namespace kehu::state {
namespace {

constexpr uint64_t kFormat = 1;
constexpr size_t kKeyBytes = 17;
constexpr size_t kBlock = 1u << 20;  // of Changes

absl::Status from_rocksdb(const rocksdb::Status& status, std::string_view what,
                          const std::string& directory) {
  if (status.ok()) return absl::OkStatus();
  const auto code = status.IsCorruption() ? absl::StatusCode::kDataLoss
                    : status.IsIOError()  ? absl::StatusCode::kUnavailable
                                          : absl::StatusCode::kInternal;
  return failure(code, "state database ", directory, ": ", what, ": ", status.ToString());
}

// A key is the space, then its two halves big-endian, so that RocksDB's byte order is the order of (space,
// key).
struct Key {
  char bytes[kKeyBytes];

  Key(Space space, const Hash128& key) {
    bytes[0] = static_cast<char>(space);
    const uint64_t halves[2] = {__builtin_bswap64(key.high), __builtin_bswap64(key.low)};
    std::memcpy(bytes + 1, halves, sizeof(halves));
  }
  rocksdb::Slice slice() const { return {bytes, kKeyBytes}; }
};

Hash128 key_of(const rocksdb::Slice& slice) {
  uint64_t halves[2];
  std::memcpy(halves, slice.data() + 1, sizeof(halves));
  return Hash128{__builtin_bswap64(halves[0]), __builtin_bswap64(halves[1])};
}

// A table file is ingested by giving it a second name and then removing the first one. A process that was
// killed between the two left both, and opening the first one for writing would empty a table of the
// database.
rocksdb::Status remove_if_there(rocksdb::Env& env, const std::string& file) {
  return env.FileExists(file).IsNotFound() ? rocksdb::Status::OK() : env.DeleteFile(file);
}

class SilentLog : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

rocksdb::Options options_for(size_t cache_bytes) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(cache_bytes);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.block_size = 4096;
  table.format_version = 5;
  table.cache_index_and_filter_blocks = true;

  rocksdb::Options options;
  options.create_if_missing = true;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.compaction_style = rocksdb::kCompactionStyleLevel;
  options.level0_file_num_compaction_trigger = 8;
  // Checkpoints are read back soon, by compaction; only what has settled is worth compressing.
  options.compression = rocksdb::kNoCompression;
  options.bottommost_compression = rocksdb::kLZ4Compression;
  options.max_background_jobs = 2;
  // A sync of many megabytes at once would hold up the log's.
  options.bytes_per_sync = 1u << 20;
  options.strict_bytes_per_sync = true;
  options.keep_log_file_num = 2;
  options.max_open_files = 256;
  options.info_log_level = rocksdb::WARN_LEVEL;
  // Blocks have checksums of their own, but what lies between them does not.
  options.file_checksum_gen_factory = std::make_shared<TableChecksumFactory>();
  return options;
}

// Passes on the checksum of what was written, so that the file is not read again to find it. The file is
// moved in, not copied, and must stay as it was written: a sequence number put into it would make that
// checksum wrong.
rocksdb::Status ingest(rocksdb::DB& db, const rocksdb::ExternalSstFileInfo& written) {
  rocksdb::IngestExternalFileArg arg;
  arg.column_family = db.DefaultColumnFamily();
  arg.external_files = {written.file_path};
  arg.options.move_files = true;
  arg.options.snapshot_consistency = true;
  arg.options.verify_file_checksum = false;
  arg.options.write_global_seqno = false;  // which would change the file behind its checksum
  arg.files_checksums = {written.file_checksum};
  arg.files_checksum_func_names = {written.file_checksum_func_name};
  return db.IngestExternalFiles({arg});
}

}  // namespace

Database::Database(std::unique_ptr<rocksdb::DB> db, std::string directory)
    : db_(std::move(db)), directory_(std::move(directory)) {}

Database::~Database() {
  if (!db_) return;
  const bool closed = db_->Close().ok();
  if (closed && !read_only_) write_closed_mark(os::posix_file_system(), directory_).IgnoreError();
}

absl::StatusOr<std::unique_ptr<Database>> Database::open(const std::string& directory, size_t cache_bytes) {
  if (auto status = remove_closed_mark(os::posix_file_system(), directory); !status.ok()) return status;
  rocksdb::DB* raw = nullptr;
  const auto status = rocksdb::DB::Open(options_for(cache_bytes), directory, &raw);
  if (!status.ok()) return from_rocksdb(status, "cannot open", directory);
  return wrap(std::unique_ptr<rocksdb::DB>(raw), directory);
}

absl::StatusOr<std::unique_ptr<Database>> Database::open_read_only(const std::string& directory,
                                                                   size_t cache_bytes) {
  if (auto status = verify_closed_mark(os::posix_file_system(), directory); !status.ok()) return status;
  rocksdb::Options options = options_for(cache_bytes);
  options.create_if_missing = false;
  options.info_log = std::make_shared<SilentLog>();
  rocksdb::DB* raw = nullptr;
  const auto status = rocksdb::DB::OpenForReadOnly(options, directory, &raw);
  if (!status.ok()) return from_rocksdb(status, "cannot open", directory);
  auto database = wrap(std::unique_ptr<rocksdb::DB>(raw), directory);
  if (database.ok()) (*database)->read_only_ = true;
  return database;
}

absl::StatusOr<std::unique_ptr<Database>> Database::wrap(std::unique_ptr<rocksdb::DB> db,
                                                         const std::string& directory) {
  std::unique_ptr<Database> database(new Database(std::move(db), directory));
  std::string meta;
  const auto found = database->get(Space::kMeta, Hash128{}, meta);
  if (!found.ok()) return found.status();
  if (!*found) return database;
  uint64_t fields[2];
  if (meta.size() != sizeof(fields)) {
    return failure(absl::StatusCode::kDataLoss, "state database ", directory, ": its position is damaged");
  }
  std::memcpy(fields, meta.data(), sizeof(fields));
  if (fields[0] != kFormat) {
    return failure(absl::StatusCode::kFailedPrecondition, "state database ", directory, " has format ",
                   fields[0], "; this kehu reads format ", kFormat, ": use the kehu that wrote it");
  }
  database->position_ = fields[1];
  return database;
}

const char* Changes::keep(std::string_view bytes) {
  if (bytes.size() > room_) {
    const size_t size = std::max(kBlock, bytes.size());
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(size));
    end_ = blocks_.back().get();
    room_ = size;
  }
  char* kept = end_;
  std::memcpy(kept, bytes.data(), bytes.size());
  end_ += bytes.size();
  room_ -= bytes.size();
  return kept;
}

// position_ moves only when the file is part of the database. A failure before that leaves the last
// checkpoint as it was, and at most a stray file, which the next one removes.
absl::Status Database::checkpoint(Sequence position, Changes& changes) {
  const uint64_t fields[2] = {kFormat, position.value()};
  changes.add(Space::kMeta, Hash128{}, {reinterpret_cast<const char*>(fields), sizeof(fields)});
  std::sort(changes.entries_.begin(), changes.entries_.end(),
            [](const Changes::Entry& a, const Changes::Entry& b) {
              return a.space != b.space ? a.space < b.space : a.key < b.key;
            });

  const std::string file = cat(directory_, "/ingest.sst");
  rocksdb::Options options = db_->GetOptions();
  options.bottommost_compression = rocksdb::kDisableCompressionOption;
  rocksdb::SstFileWriter writer(rocksdb::EnvOptions(options), options);
  auto status = remove_if_there(*db_->GetEnv(), file);
  if (status.ok()) status = writer.Open(file);
  for (size_t i = 0; status.ok() && i < changes.entries_.size(); ++i) {
    const Changes::Entry& entry = changes.entries_[i];
    const Key key(entry.space, entry.key);
    status =
        entry.size == 0 ? writer.Delete(key.slice()) : writer.Put(key.slice(), {entry.bytes, entry.size});
  }
  rocksdb::ExternalSstFileInfo written;
  if (status.ok()) status = writer.Finish(&written);
  if (status.ok()) status = ingest(*db_, written);
  if (!status.ok()) return from_rocksdb(status, "checkpoint failed", directory_);
  position_.store(position.value(), std::memory_order_release);
  return absl::OkStatus();
}

absl::StatusOr<bool> Database::get(Space space, const Hash128& key, std::string& bytes) const {
  const auto status = db_->Get(rocksdb::ReadOptions(), Key(space, key).slice(), &bytes);
  if (status.IsNotFound()) return false;
  if (!status.ok()) return from_rocksdb(status, "cannot read", directory_);
  return true;
}

absl::Status Database::get_many(Space space, const std::vector<Hash128>& keys,
                                std::vector<std::string>& values) const {
  std::vector<Key> storage;
  storage.reserve(keys.size());
  for (const Hash128& key : keys) storage.emplace_back(space, key);
  std::vector<rocksdb::Slice> slices;
  slices.reserve(keys.size());
  for (const Key& key : storage) slices.push_back(key.slice());
  values.clear();
  const auto statuses = db_->MultiGet(rocksdb::ReadOptions(), slices, &values);
  for (size_t i = 0; i < statuses.size(); ++i) {
    if (statuses[i].IsNotFound()) {
      values[i].clear();
    } else if (!statuses[i].ok()) {
      return from_rocksdb(statuses[i], "cannot read", directory_);
    }
  }
  return absl::OkStatus();
}

absl::Status Database::scan(Space space,
                            const std::function<bool(const Hash128&, std::string_view)>& visit) const {
  return scan_from(space, Hash128{}, visit);
}

absl::Status Database::scan_from(Space space, const Hash128& first,
                                 const std::function<bool(const Hash128&, std::string_view)>& visit) const {
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(rocksdb::ReadOptions()));
  for (it->Seek(Key(space, first).slice()); it->Valid(); it->Next()) {
    if (it->key().size() != kKeyBytes || it->key()[0] != static_cast<char>(space)) break;
    if (!visit(key_of(it->key()), {it->value().data(), it->value().size()})) break;
  }
  return from_rocksdb(it->status(), "cannot scan", directory_);
}

std::vector<Database::Table> Database::tables() const {
  std::vector<rocksdb::LiveFileMetaData> live;
  db_->GetLiveFilesMetaData(&live);
  std::vector<Table> tables;
  for (const rocksdb::LiveFileMetaData& file : live) {
    Table table{.path = cat(directory_, "/", file.relative_filename), .size = file.size, .checksum = {}};
    if (file.file_checksum_func_name == TableChecksumFactory::kName && file.file_checksum.size() == 4) {
      uint32_t sum = 0;
      for (const char byte : file.file_checksum) sum = sum << 8 | static_cast<unsigned char>(byte);
      table.checksum = sum;
    }
    tables.push_back(std::move(table));
  }
  return tables;
}

// Whoever copies needs the files to stay, not the writes to stop: tables never change once they are
// ingested, and of the manifest, which is appended to, only the bytes of this moment count.
absl::StatusOr<Database::Held> Database::hold() {
  if (auto status = from_rocksdb(db_->DisableFileDeletions(), "cannot hold its files", directory_);
      !status.ok()) {
    return status;
  }
  Held held;
  std::vector<std::string> names;
  const auto status = db_->GetLiveFiles(names, &held.manifest_bytes, false);
  if (!status.ok()) {
    release();
    return from_rocksdb(status, "cannot list its files", directory_);
  }
  for (const std::string& name : names) {
    held.names.push_back(name.substr(name.find_first_not_of('/')));
    if (held.names.back().starts_with("MANIFEST")) held.manifest = held.names.back();
  }
  return held;
}

void Database::release() { (void)db_->EnableFileDeletions(/*force=*/false); }

absl::Status Database::verify() const {
  absl::Status status =
      from_rocksdb(db_->VerifyFileChecksums(rocksdb::ReadOptions()), "a table file is damaged", directory_);
  if (!status.ok()) return status;
  std::vector<rocksdb::LiveFileMetaData> tables;
  db_->GetLiveFilesMetaData(&tables);
  const bool all_verified = std::none_of(tables.begin(), tables.end(), [](const auto& table) {
    return table.file_checksum_func_name == rocksdb::kUnknownFileChecksumFuncName;
  });
  if (all_verified) return absl::OkStatus();
  return from_rocksdb(db_->VerifyChecksum(rocksdb::ReadOptions()), "a table file is damaged", directory_);
}

}  // namespace kehu::state
