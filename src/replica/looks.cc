#include "replica/looks.h"

#include "replica/replica.h"

namespace kehu::replica {

bool Looks::add(Sequence after, Look look) {
  const std::lock_guard lock(mutex_);
  if (closed_) return false;
  waiting_.push_back({after, std::move(look)});
  any_ = true;
  return true;
}

// Is called between all slices, so the usual case, that nobody waits, is one load of an atomic. Looks run
// outside the lock: one that is slow holds up the apply thread, but nobody who adds another.
void Looks::run(Replica& replica) {
  if (!any_.load(std::memory_order_acquire)) return;
  std::vector<Waiting> ready;
  {
    const std::lock_guard lock(mutex_);
    const Sequence now = replica.applied();
    std::vector<Waiting> later;
    for (Waiting& waiting : waiting_) (waiting.after <= now ? ready : later).push_back(std::move(waiting));
    waiting_ = std::move(later);
    any_ = !waiting_.empty();
  }
  for (Waiting& waiting : ready) waiting.look(replica);
}

void Looks::close() {
  std::vector<Waiting> dropped;  // is destroyed behind the lock, since it may answer somebody
  const std::lock_guard lock(mutex_);
  closed_ = true;
  dropped.swap(waiting_);
}

}  // namespace kehu::replica
