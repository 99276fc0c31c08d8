#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/time.h"

// Rows of ours that DuckDB reads where they lie. Values are kept in DuckDB's own vector layout, so a scan
// copies 16 bytes per text and 8 per number, and no characters.
namespace kehu::duck {

enum class ColumnType : uint8_t {
  kText,
  kTimestamp,
  kLong,
  kInteger,
  kDate,
  kBoolean
};  // kTimestamp: with time zone

struct Column {
  std::string name;
  ColumnType type = ColumnType::kText;
};

inline constexpr size_t kChunkRows = 2048;  // DuckDB's vector size

// Up to kChunkRows rows, column by column. One thread writes; others may read rows whose number reached them
// through a lock after they were written: written rows never move or change.
class Chunk {
 public:
  Chunk(absl::Span<const Column> columns, size_t capacity);
  ~Chunk();
  Chunk(const Chunk&) = delete;
  Chunk& operator=(const Chunk&) = delete;

  size_t capacity() const { return capacity_; }
  size_t rows() const { return rows_; }
  uint64_t bytes() const { return bytes_; }  // memory held

  // Every column of the next row is set once, then end_row() counts it.
  void set_text(size_t column, std::string_view text) { write_text(column, text.size(), keep(text)); }
  // The same characters as another text of this row.
  void set_same_text(size_t column, size_t as_column);
  // Room for a text of `size` characters that the caller fills before the next call.
  char* text_room(size_t size);
  void set_room(size_t column, size_t size, const char* room) { write_text(column, size, room); }
  void set_long(size_t column, int64_t value) { words(column)[rows_] = value; }
  void set_instant(size_t column, Instant value) { words(column)[rows_] = value.micros(); }
  void set_integer(size_t column, int32_t value) { halves(column)[rows_] = value; }  // and days of a date
  void set_boolean(size_t column, bool value) { columns_[column][rows_] = value ? 1 : 0; }
  void end_row() { ++rows_; }

  // DuckDB's vector data of a column.
  const void* data(size_t column) const { return columns_[column].get(); }
  static size_t value_bytes(ColumnType type);

 private:
  const char* keep(std::string_view text);
  void write_text(size_t column, size_t size, const char* text);
  int64_t* words(size_t column) { return reinterpret_cast<int64_t*>(columns_[column].get()); }
  int32_t* halves(size_t column) { return reinterpret_cast<int32_t*>(columns_[column].get()); }

  size_t capacity_;
  size_t rows_ = 0;
  uint64_t bytes_ = 0;
  std::vector<std::unique_ptr<char[]>> columns_;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* room_ = nullptr;
  size_t room_left_ = 0;
};

// The first `rows` rows of a chunk.
struct ChunkPart {
  std::shared_ptr<const Chunk> chunk;
  size_t rows = 0;
};

// The rows for the id of a statement; called once per use of the function in a statement, from any thread.
using ScanSource = std::function<absl::StatusOr<std::vector<ChunkPart>>(int64_t id)>;

// Rows under ids, for statements to name: registry.source() goes to Database::add_scan. Any thread.
class ScanRegistry {
 public:
  int64_t add(std::vector<ChunkPart> parts);
  void replace(int64_t id, std::vector<ChunkPart> parts);
  void remove(int64_t id);
  ScanSource source();  // the registry outlives the database

 private:
  std::mutex mutex_;
  int64_t next_ = 1;
  std::map<int64_t, std::vector<ChunkPart>> parts_;
};

// Answers a statement's lookups. find() is called by many threads at once.
class Lookup {
 public:
  virtual ~Lookup() = default;
  // For each key: the text it stands for, or an empty view to keep the row's own. What is found may be put
  // into `scratch`, which lives as long as the views.
  virtual void find(absl::Span<const std::string_view> keys, absl::Span<std::string_view> found,
                    std::string& scratch) const = 0;
};
using LookupSource = std::function<absl::StatusOr<std::shared_ptr<const Lookup>>(int64_t id)>;

}  // namespace kehu::duck
