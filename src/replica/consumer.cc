#include "replica/consumer.h"

// All consumers get the same immutable slice, made once and only when somebody wants it. The apply thread
// pays for pointers into the batch, never for rendering, decrypting or a consumer that is slow
// (docs/decisions/outbox.md).
namespace kehu::replica {
namespace {

std::shared_ptr<const AppliedSlice> slice_of(const DurableBatch& batch,
                                             absl::Span<const shard::LogRecord> records,
                                             const shard::Effects& effects, const Totals& totals) {
  auto slice = std::make_shared<AppliedSlice>();
  slice->tick = batch.tick;
  slice->last = records.back().sequence;
  slice->events.reserve(effects.events.size());
  size_t record = 0;
  for (const shard::Applied& applied : effects.events) {
    while (records[record].sequence < applied.sequence) ++record;
    slice->events.push_back(
        {applied.sequence, applied.customer, applied.part, applied.new_customer, records[record].payload});
  }
  slice->moves = effects.moves;
  slice->memberships = effects.memberships;
  slice->labels = effects.labels;
  slice->intents = effects.intents;
  slice->settled = effects.settled;
  slice->totals = totals;
  slice->bytes = batch.bytes;
  slice->size = batch.size * records.size() / batch.records.size();
  return slice;
}

}  // namespace

void Consumers::add(Consumer& consumer) {
  const std::lock_guard lock(mutex_);
  all_.push_back(&consumer);
}

void Consumers::remove(Consumer& consumer) {
  const std::lock_guard lock(mutex_);
  std::erase(all_, &consumer);
}

void Consumers::hand_on(const DurableBatch& batch, absl::Span<const shard::LogRecord> slice,
                        const shard::Effects& effects, const Totals& totals) {
  const std::lock_guard lock(mutex_);
  wanting_.clear();
  for (Consumer* consumer : all_) {
    if (consumer->wants(effects)) wanting_.push_back(consumer);
  }
  if (wanting_.empty()) return;
  const auto shared = slice_of(batch, slice, effects, totals);
  for (Consumer* consumer : wanting_) consumer->take(shared);
}

}  // namespace kehu::replica
