#pragma once

#include <deque>
#include <memory>

#include "absl/status/status.h"
#include "model/ids.h"
#include "state/store.h"
#include "store/store_set.h"

namespace kehu::replica {

// The stores of a state over its database: one for each row of kSpaces. One owner thread.
class Stores final : public StoreSet {
 public:
  explicit Stores(const state::Database& database);

  state::Store& at(Space space) override;

  // OK, or the first failure of a read: what was computed or shown behind it may be wrong.
  absl::Status reads() const;

  // A checkpoint of all of them; see state/store.h.
  void begin_checkpoint(state::Changes& copies);
  // Looks at up to `keys` blobs of all together; true when none is left.
  bool copy_some(size_t keys);
  void finish_checkpoint(bool written);

  size_t memory_bytes() const;
  size_t dirty_blobs() const;
  // From here on evict_some() drops clean blobs until all take at most `bytes`, as far as they may be
  // dropped.
  void shrink_to(size_t bytes);
  // Looks at up to `slots` of them; true when nothing is left to drop.
  bool evict_some(size_t slots);

 private:
  std::deque<state::Store> stores_;  // in the order of kSpaces
};

}  // namespace kehu::replica
