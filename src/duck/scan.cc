#include "duck/scan.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/text.h"

namespace kehu::duck {
namespace {

// A chunk has the layout of DuckDB's vectors, so that a scan copies the fixed parts as they are and no
// characters. Long texts lie in blocks that never move, for the values point into them.
//
// DuckDB's string_t: texts of up to 12 bytes lie inside, padded with zeros; longer ones show their first
// four.
struct Text {
  uint32_t size = 0;
  char head[12] = {};
};
constexpr size_t kInlineBytes = sizeof(Text::head);
constexpr size_t kHeadBytes = 4;
constexpr size_t kFirstBlockBytes = 16 * 1024;
constexpr size_t kBlockBytes = 256 * 1024;

}  // namespace

Chunk::Chunk(absl::Span<const Column> columns, size_t capacity) : capacity_(capacity) {
  KEHU_CHECK(capacity > 0 && capacity <= kChunkRows);
  columns_.reserve(columns.size());
  for (const Column& column : columns) {
    const size_t size = capacity * value_bytes(column.type);
    columns_.push_back(std::make_unique_for_overwrite<char[]>(size));
    bytes_ += size;
  }
}

Chunk::~Chunk() = default;

size_t Chunk::value_bytes(ColumnType type) {
  switch (type) {
    case ColumnType::kText:
      return sizeof(Text);
    case ColumnType::kTimestamp:
    case ColumnType::kLong:
      return sizeof(int64_t);
    case ColumnType::kInteger:
    case ColumnType::kDate:
      return sizeof(int32_t);
    case ColumnType::kBoolean:
      return sizeof(bool);
  }
  return 0;
}

// The first block is small, and smaller still for a chunk of few rows: a back-fill may have hundreds of
// those at once. A block is never moved or grown, because values point into it.
char* Chunk::text_room(size_t size) {
  if (size > room_left_) {
    const size_t block =
        std::max(size, blocks_.empty() ? std::min(kFirstBlockBytes, capacity_ * 256) : kBlockBytes);
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(block));
    bytes_ += block;
    room_ = blocks_.back().get();
    room_left_ = block;
  }
  char* room = room_;
  room_ += size;
  room_left_ -= size;
  return room;
}

const char* Chunk::keep(std::string_view text) {
  if (text.size() <= kInlineBytes) return text.data();
  char* room = text_room(text.size());
  std::memcpy(room, text.data(), text.size());
  return room;
}

void Chunk::write_text(size_t column, size_t size, const char* text) {
  Text value;
  value.size = static_cast<uint32_t>(size);
  if (size <= kInlineBytes) {
    if (size > 0) std::memcpy(value.head, text, size);
  } else {
    std::memcpy(value.head, text, kHeadBytes);
    std::memcpy(value.head + kHeadBytes, &text, sizeof(text));
  }
  std::memcpy(columns_[column].get() + rows_ * sizeof(Text), &value, sizeof(Text));
}

// Two values may point to the same characters: those of a chunk live and die together.
void Chunk::set_same_text(size_t column, size_t as_column) {
  std::memcpy(columns_[column].get() + rows_ * sizeof(Text), columns_[as_column].get() + rows_ * sizeof(Text),
              sizeof(Text));
}

int64_t ScanRegistry::add(std::vector<ChunkPart> parts) {
  const std::lock_guard lock(mutex_);
  parts_.emplace(next_, std::move(parts));
  return next_++;
}

void ScanRegistry::replace(int64_t id, std::vector<ChunkPart> parts) {
  const std::lock_guard lock(mutex_);
  parts_[id].swap(parts);
}

void ScanRegistry::remove(int64_t id) {
  const std::lock_guard lock(mutex_);
  parts_.erase(id);
}

ScanSource ScanRegistry::source() {
  return [this](int64_t id) -> absl::StatusOr<std::vector<ChunkPart>> {
    const std::lock_guard lock(mutex_);
    const auto found = parts_.find(id);
    if (found == parts_.end()) return failure(absl::StatusCode::kNotFound, "no rows under the id ", id);
    return found->second;
  };
}

}  // namespace kehu::duck
