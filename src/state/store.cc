#include "state/store.h"

#include <algorithm>

#include "base/check.h"

// A checkpoint is a copy on write, by key. begin_checkpoint() only raises the epoch and sets the list of
// dirty keys aside, which takes constant time whatever was written. A slot needs its old bytes kept when it
// was written in the epoch before and has not been copied yet; whoever comes first copies it, the owner in
// its pause (copy_some) or the next write to the key (touch). So the copies together are the state at the
// moment of freezing, although applying went on, and each key is copied once
// (docs/decisions/checkpoints.md).
//
// A blob is dirty while its epoch is above clean_epoch_, the last one whose copies are in the database.
// Only clean blobs may be evicted: a dirty one is nowhere else.
namespace kehu::state {

Store::Store(Space space, const Database* database)
    : space_(space), database_(database), complete_(database->position() == Sequence(0)) {}

// A key that the database does not have gets a slot, too, of size 0: asked for again, it costs no look on
// disk.
Slot& Store::fetch(const Hash128& key) {
  if (Slot* slot = table_.find(key)) return *slot;
  Slot& slot = table_.insert(key);
  if (complete_) return slot;
  const auto found = database_->get(space_, key, scratch_);
  if (!found.ok()) {
    error_.Update(found.status());
  } else if (*found) {
    table_.assign(slot, scratch_);
  }
  return slot;
}

std::string_view Store::get(const Hash128& key) {
  if (complete_) {
    // Nothing is kept of keys that do not exist: a scan of unknown customers must not fill the table.
    Slot* slot = table_.find(key);
    if (slot == nullptr) return {};
    slot->visited = 1;
    return slot->bytes();
  }
  Slot& slot = fetch(key);
  slot.visited = 1;
  return slot.bytes();
}

void Store::put(const Hash128& key, std::string_view bytes) {
  Slot& slot = fetch(key);
  touch(slot);
  table_.assign(slot, bytes);
}

void Store::erase(const Hash128& key) {
  Slot& slot = fetch(key);
  touch(slot);
  slot.size = 0;
}

// Is called before every change of a slot, while its bytes are still the old ones.
void Store::touch(Slot& slot) {
  slot.visited = 1;
  if (slot.dirty_epoch == epoch_) return;
  const bool frozen = checkpointing_ && slot.dirty_epoch == epoch_ - 1;
  if (frozen && !slot.copied) copy(slot);
  slot.dirty_epoch = epoch_;
  slot.copied = 0;
  dirty_.push_back(slot.key);
}

void Store::copy(Slot& slot) {
  copies_->add(space_, slot.key, slot.bytes());
  slot.copied = 1;
}

// Misses of a wave are read from the disk together, and what is there is asked into the cache: first all
// slots, then all blobs, so that the memory's latency is waited for twice a wave and not twice a key.
void Store::prefetch(absl::Span<const Hash128> keys) {
  for (const Hash128& key : keys) table_.prefetch_slot(key);
  if (!complete_) {
    missing_.clear();
    for (const Hash128& key : keys) {
      if (table_.find(key) == nullptr) missing_.push_back(key);
    }
    if (!missing_.empty()) {
      const absl::Status status = database_->get_many(space_, missing_, values_);
      error_.Update(status);
      for (size_t i = 0; status.ok() && i < missing_.size(); ++i) {
        Slot& slot = table_.insert(missing_[i]);
        if (!values_[i].empty()) table_.assign(slot, values_[i]);
      }
    }
  }
  for (const Hash128& key : keys) table_.prefetch_blob(key);
}

void Store::for_each(const std::function<void(const Hash128&, std::string_view)>& visit) {
  BlobTable::Cursor cursor;
  while (const Slot* slot = table_.next(cursor)) {
    if (slot->size > 0) visit(slot->key, slot->bytes());
  }
  if (complete_) return;
  error_.Update(database_->scan(space_, [&](const Hash128& key, std::string_view bytes) {
    if (table_.find(key) == nullptr) visit(key, bytes);
    return true;
  }));
}

void Store::begin_checkpoint(Changes& copies) {
  KEHU_CHECK(!checkpointing_);
  checkpointing_ = true;
  copies_ = &copies;
  frozen_.swap(dirty_);
  dirty_.clear();
  frozen_at_ = 0;
  ++epoch_;
}

bool Store::copy_some(size_t& keys) {
  const size_t end = frozen_at_ + std::min(keys, frozen_.size() - frozen_at_);
  keys -= end - frozen_at_;
  for (; frozen_at_ < end; ++frozen_at_) {
    Slot* slot = table_.find(frozen_[frozen_at_]);
    KEHU_CHECK(slot != nullptr);
    if (slot->dirty_epoch == epoch_ - 1 && !slot->copied) copy(*slot);
  }
  return frozen_at_ == frozen_.size();
}

void Store::finish_checkpoint() {
  KEHU_CHECK(checkpointing_ && frozen_at_ == frozen_.size());
  clean_epoch_ = epoch_ - 1;
  end_checkpoint();
}

void Store::abandon_checkpoint() {
  KEHU_CHECK(checkpointing_);
  for (const Hash128& key : frozen_) {
    Slot* slot = table_.find(key);
    if (slot->dirty_epoch != epoch_ - 1) continue;  // written again since: in dirty_ already
    slot->dirty_epoch = epoch_;
    slot->copied = 0;
    dirty_.push_back(key);
  }
  end_checkpoint();
}

void Store::end_checkpoint() {
  copies_ = nullptr;
  frozen_.clear();
  frozen_at_ = 0;
  checkpointing_ = false;
}

void Store::evict_to(size_t bytes) {
  evict_to_ = bytes;
  looks_left_ = 2 * table_.size();
}

// The eviction clock gives every slot a second chance, instead of keeping a list by age: reading a blob
// sets one field and moves nothing, and a slot needs no links. The hand goes on where it stopped, a few
// slots at a time, because the owner has events to apply. Two rounds are enough: the first may find every
// slot visited, the second finds only those that were read since.
bool Store::evict_some(size_t& slots) {
  for (; looks_left_ > 0 && table_.memory() > evict_to_; --slots, --looks_left_) {
    if (slots == 0) return false;
    Slot* slot = table_.next(clock_hand_);
    if (slot == nullptr || slot->dirty_epoch > clean_epoch_) continue;
    if (slot->visited) {
      slot->visited = 0;
      continue;
    }
    complete_ = false;
    table_.remove(*slot);
    --clock_hand_.index;  // the slot behind may have moved here
  }
  looks_left_ = 0;
  return true;
}

}  // namespace kehu::state
