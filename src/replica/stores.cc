#include "replica/stores.h"

#include <algorithm>

#include "base/check.h"

namespace kehu::replica {

Stores::Stores(const state::Database& database) {
  for (const SpaceTraits& traits : kSpaces) stores_.emplace_back(traits.space, &database);
}

state::Store& Stores::at(Space space) {
  for (size_t i = 0; i < kSpaceCount; ++i) {
    if (kSpaces[i].space == space) return stores_[i];
  }
  KEHU_CHECK(false);
  return stores_.front();
}

absl::Status Stores::reads() const {
  absl::Status status;
  for (const state::Store& store : stores_) status.Update(store.error());
  return status;
}

void Stores::begin_checkpoint(state::Changes& copies) {
  for (state::Store& store : stores_) store.begin_checkpoint(copies);
}

bool Stores::copy_some(size_t keys) {
  return std::all_of(stores_.begin(), stores_.end(),
                     [&](state::Store& store) { return store.copy_some(keys); });
}

void Stores::finish_checkpoint(bool written) {
  for (state::Store& store : stores_) written ? store.finish_checkpoint() : store.abandon_checkpoint();
}

size_t Stores::memory_bytes() const {
  size_t bytes = 0;
  for (const state::Store& store : stores_) bytes += store.memory();
  return bytes;
}

size_t Stores::dirty_blobs() const {
  size_t blobs = 0;
  for (const state::Store& store : stores_) blobs += store.dirty();
  return blobs;
}

// Each store gives up the same share: what is used least goes first in each of them.
void Stores::shrink_to(size_t bytes) {
  size_t evictable = 0;
  for (size_t i = 0; i < kSpaceCount; ++i) evictable += kSpaces[i].evictable ? stores_[i].memory() : 0;
  const size_t fixed = memory_bytes() - evictable;
  const size_t room = bytes > fixed ? bytes - fixed : 0;
  if (evictable <= room) return;
  const double share = static_cast<double>(room) / static_cast<double>(evictable);
  for (size_t i = 0; i < kSpaceCount; ++i) {
    if (!kSpaces[i].evictable) continue;
    stores_[i].evict_to(static_cast<size_t>(static_cast<double>(stores_[i].memory()) * share));
  }
}

bool Stores::evict_some(size_t slots) {
  return std::all_of(stores_.begin(), stores_.end(),
                     [&](state::Store& store) { return store.evict_some(slots); });
}

}  // namespace kehu::replica
