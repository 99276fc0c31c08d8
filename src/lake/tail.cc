#include "lake/tail.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"

// Rows wait for their commit in chunks that have DuckDB's vector layout, and a table function hands these
// out without copying characters. Appending costs ~250 ns a row; through DuckDB's appender the same rows
// are copied three times. A chunk never changes below its published count. So a snapshot is a list of
// pointers and counts, and the filling thread writes behind these counts without a lock.
namespace kehu::lake {
namespace {

// A partition's first chunk is small: a back-fill may touch hundreds of months at once.
constexpr size_t kFirstChunkRows = 128;
constexpr size_t kGrowth = 4;

}  // namespace

size_t Tail::slot(const std::string& partition) {
  const auto [found, added] = slot_of_.try_emplace(partition, slots_.size());
  if (added) slots_.push_back({partition, {}, {}, false});
  return found->second;
}

duck::Chunk& Tail::chunk_for(size_t index) {
  Slot& slot = slots_[index];
  if (slot.chunks.empty() || slot.chunks.back()->rows() == slot.chunks.back()->capacity()) {
    const size_t rows = slot.chunks.empty() ? kFirstChunkRows : slot.chunks.back()->capacity() * kGrowth;
    slot.chunks.push_back(std::make_shared<duck::Chunk>(columns_, std::min(rows, duck::kChunkRows)));
  }
  if (!slot.touched) {
    slot.touched = true;
    touched_.push_back(index);
  }
  return *slot.chunks.back();
}

// Of the chunks that were published before, only the last can have grown: a new one is begun when it is
// full. With the list of touched slots a publication costs what came since, however many partitions the
// tail has.
void Tail::publish(Slot& slot) {
  const size_t open = slot.places.empty() ? 0 : slot.places.size() - 1;
  for (size_t i = open; i < slot.chunks.size(); ++i) {
    if (i == slot.places.size()) {
      slot.places.push_back(parts_.size());
      parts_.push_back({slot.chunks[i], 0});
      counted_bytes_.push_back(0);
    }
    const size_t place = slot.places[i];
    rows_ += slot.chunks[i]->rows() - parts_[place].rows;
    bytes_ += slot.chunks[i]->bytes() - counted_bytes_[place];
    parts_[place].rows = slot.chunks[i]->rows();
    counted_bytes_[place] = slot.chunks[i]->bytes();
  }
  slot.touched = false;
}

void Tail::publish() {
  for (const size_t index : touched_) publish(slots_[index]);
  touched_.clear();
}

void Tail::clear() {
  slots_.clear();
  slot_of_.clear();
  touched_.clear();
  parts_.clear();
  counted_bytes_.clear();
  rows_ = 0;
  bytes_ = 0;
}

// Chunks move by pointer. Rows are here already only when a commit has failed; then each partition's later
// rows go behind its earlier ones, so that they keep the log's order, and the places of the later parts
// move by the number of parts that were here.
void Tail::take_over(Tail& later) {
  KEHU_CHECK(later.touched_.empty());
  if (slots_.empty()) {
    std::swap(slots_, later.slots_);
    std::swap(slot_of_, later.slot_of_);
    std::swap(parts_, later.parts_);
    std::swap(counted_bytes_, later.counted_bytes_);
  } else {
    for (Slot& from : later.slots_) {
      Slot& into = slots_[slot(from.partition)];
      for (const size_t place : from.places) into.places.push_back(parts_.size() + place);
      std::move(from.chunks.begin(), from.chunks.end(), std::back_inserter(into.chunks));
    }
    std::move(later.parts_.begin(), later.parts_.end(), std::back_inserter(parts_));
    counted_bytes_.insert(counted_bytes_.end(), later.counted_bytes_.begin(), later.counted_bytes_.end());
  }
  rows_ += later.rows_;
  bytes_ += later.bytes_;
  later.clear();
}

std::vector<duck::ChunkPart> Tail::parts_of(size_t slot) const {
  std::vector<duck::ChunkPart> parts;
  for (const size_t place : slots_[slot].places) parts.push_back(parts_[place]);
  return parts;
}

}  // namespace kehu::lake
