#pragma once

#include <cstdint>
#include <vector>

#include "state/blob_table.h"
#include "state/database.h"
#include "store/blob_store.h"

namespace kehu::state {

// The blobs of one name space: a cache in memory over the database. One owner thread.
//
// A checkpoint takes the state as it is at one log position without stopping the owner: begin_checkpoint()
// freezes the set of dirty keys, and the owner copies them out in small steps between batches. A put to a key
// that the checkpoint still needs copies its old bytes first. finish_checkpoint() follows once the database
// has the copies.
//
// A disk error cannot be answered by the pure rooms above, so it is kept: see error().
class Store final : public BlobStore {
 public:
  Store(Space space, const Database* database);

  std::string_view get(const Hash128& key) override;
  void put(const Hash128& key, std::string_view bytes) override;
  void erase(const Hash128& key) override;
  void prefetch(absl::Span<const Hash128> keys) override;
  void for_each(const std::function<void(const Hash128&, std::string_view)>& visit) override;

  // First failure of a read since it was opened. The owner stops when it is not OK: what it computed after
  // the failure may be wrong and must not be checkpointed.
  const absl::Status& error() const { return error_; }

  // Copies go to `copies`, which outlives the checkpoint.
  void begin_checkpoint(Changes& copies);
  // Looks at up to `keys` frozen blobs, and takes off as many; true when none is left.
  bool copy_some(size_t& keys);
  void finish_checkpoint();
  // The database could not take the copies: what was frozen is dirty again.
  void abandon_checkpoint();

  size_t memory() const { return table_.memory(); }
  size_t dirty() const { return dirty_.size() + frozen_.size(); }
  size_t cached() const { return table_.size(); }
  // From here on evict_some() drops clean blobs, least recently used first, until memory() is at most `bytes`
  // or every slot was looked at twice.
  void evict_to(size_t bytes);
  // Looks at up to `slots` slots, and takes off as many; true when nothing is left to drop.
  bool evict_some(size_t& slots);

 private:
  Slot& fetch(const Hash128& key);
  void touch(Slot& slot);
  void copy(Slot& slot);
  void end_checkpoint();

  Space space_;
  const Database* database_;
  BlobTable table_;
  // True while every key of the database is in the table, so that a miss needs no look on disk.
  bool complete_;
  uint32_t epoch_ = 1;        // of writes since the last begin_checkpoint
  uint32_t clean_epoch_ = 0;  // blobs written in it or before are in the database
  bool checkpointing_ = false;
  // They change places and keep their room.
  std::vector<Hash128> dirty_;
  std::vector<Hash128> frozen_;
  size_t frozen_at_ = 0;
  Changes* copies_ = nullptr;
  BlobTable::Cursor clock_hand_;
  size_t evict_to_ = 0;
  size_t looks_left_ = 0;  // of evict_some()
  absl::Status error_;
  std::string scratch_;
  std::vector<Hash128> missing_;
  std::vector<std::string> values_;
};

}  // namespace kehu::state
