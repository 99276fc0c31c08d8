#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/hash.h"
#include "model/ids.h"
#include "store/store_set.h"

namespace rocksdb {
class DB;
}

namespace kehu::state {

using kehu::Space;

// Values to be written by one checkpoint; empty bytes remove the key. Kept in blocks: nobody who adds waits
// for what is there already to move (measured with one string of 350 MB: 340 ms).
class Changes {
 public:
  void add(Space space, const Hash128& key, std::string_view bytes) {
    entries_.push_back(
        {key, bytes.empty() ? nullptr : keep(bytes), static_cast<uint32_t>(bytes.size()), space});
  }
  size_t size() const { return entries_.size(); }

 private:
  friend class Database;
  struct Entry {
    Hash128 key;
    const char* bytes;
    uint32_t size;
    Space space;
  };
  const char* keep(std::string_view bytes);

  std::deque<Entry> entries_;
  std::vector<std::unique_ptr<char[]>> blocks_;
  size_t room_ = 0;      // in the last block…
  char* end_ = nullptr;  // …from here on
};

// RocksDB as a set of sorted, immutable checkpoints: every write is one table file that is ingested
// atomically and carries the log position it belongs to. So what is on disk is always the state at exactly
// one position, and the log is the only write-ahead log. Reads may come from any thread; writes from one at a
// time.
class Database {
 public:
  static absl::StatusOr<std::unique_ptr<Database>> open(const std::string& directory, size_t cache_bytes);
  // Changes nothing on disk; checkpoint() is not allowed. DataLoss also when the files are not as an orderly
  // close left them (closed_mark.h). For checking.
  static absl::StatusOr<std::unique_ptr<Database>> open_read_only(const std::string& directory,
                                                                  size_t cache_bytes);
  ~Database();

  // Where the last checkpoint stands; Sequence(0) for a new database.
  Sequence position() const { return Sequence(position_.load(std::memory_order_acquire)); }

  // All of `changes` and the position, or nothing. Durable when it returns OK. Sorts `changes`.
  absl::Status checkpoint(Sequence position, Changes& changes);

  // False when the key has no value.
  absl::StatusOr<bool> get(Space space, const Hash128& key, std::string& bytes) const;
  // Values in the order of `keys`; an empty string where there is none.
  absl::Status get_many(Space space, const std::vector<Hash128>& keys,
                        std::vector<std::string>& values) const;
  // In key order; stops when `visit` returns false. All of one checkpoint, whatever is written meanwhile.
  absl::Status scan(Space space, const std::function<bool(const Hash128&, std::string_view)>& visit) const;

  // The same from one key on.
  absl::Status scan_from(Space space, const Hash128& first,
                         const std::function<bool(const Hash128&, std::string_view)>& visit) const;

  // A table file as it was written.
  struct Table {
    std::string path;
    uint64_t size = 0;
    std::optional<uint32_t> checksum;  // CRC-32C of its bytes; none when an old kehu wrote it
  };
  std::vector<Table> tables() const;
  // The files that hold the last checkpoint, for copying them; they stay until release(). Any thread.
  struct Held {
    std::vector<std::string> names;  // in the directory
    std::string manifest;            // the one of them of which only the first bytes count…
    uint64_t manifest_bytes = 0;     // …so many
  };
  absl::StatusOr<Held> hold();
  void release();

  // Verifies the checksum of every table file as a whole and of every block; the status names the first
  // damaged file.
  absl::Status verify() const;

 private:
  Database(std::unique_ptr<rocksdb::DB> db, std::string directory);
  static absl::StatusOr<std::unique_ptr<Database>> wrap(std::unique_ptr<rocksdb::DB> db,
                                                        const std::string& directory);
  std::unique_ptr<rocksdb::DB> db_;
  std::string directory_;
  bool read_only_ = false;
  std::atomic<uint64_t> position_{0};
};

}  // namespace kehu::state
