#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "duck/scan.h"

namespace kehu::lake {

// The rows of one table that are not committed yet, by partition. One thread fills it; it locks around
// publish(), take_over(), clear() and parts(), and then others may read the parts.
class Tail {
 public:
  explicit Tail(absl::Span<const duck::Column> columns) : columns_(columns) {}

  // The slot of a partition, made when it is new.
  size_t slot(const std::string& partition);
  // A chunk with room for one more row.
  duck::Chunk& chunk_for(size_t slot);
  // Rows ended so far become part of parts().
  void publish();
  void clear();
  // Takes the rows of a later tail of the same table, all of them published, and leaves it empty. Costs
  // nothing when this one is empty.
  void take_over(Tail& later);

  const std::vector<duck::ChunkPart>& parts() const { return parts_; }
  std::vector<duck::ChunkPart> parts_of(size_t slot) const;
  size_t slots() const { return slots_.size(); }
  const std::string& partition(size_t slot) const { return slots_[slot].partition; }
  uint64_t rows() const { return rows_; }
  uint64_t bytes() const { return bytes_; }

 private:
  struct Slot {
    std::string partition;
    std::vector<std::shared_ptr<duck::Chunk>> chunks;
    std::vector<size_t> places;  // of the published chunks in parts_
    bool touched = false;
  };
  void publish(Slot& slot);

  absl::Span<const duck::Column> columns_;
  std::vector<Slot> slots_;
  absl::flat_hash_map<std::string, size_t> slot_of_;
  std::vector<size_t> touched_;
  std::vector<duck::ChunkPart> parts_;
  std::vector<uint64_t> counted_bytes_;  // of each part
  uint64_t rows_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace kehu::lake
