#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "absl/types/span.h"
#include "base/time.h"
#include "replica/durable_batch.h"
#include "replica/replica.h"
#include "shard/effects.h"

namespace kehu::replica {

// An event that was applied; its record lives as long as the slice.
struct AppliedEvent {
  Sequence sequence;
  CustomerId customer;  // zero: nobody's
  Token part;
  bool new_customer = false;
  std::string_view record;  // for codec::EventRecord
};

// What applying some records did, in the order of the log. Immutable, and shared by all consumers.
struct AppliedSlice {
  Instant tick;
  Sequence last;  // of its records
  std::vector<AppliedEvent> events;
  std::vector<identity::Move> moves;
  std::vector<shard::MembershipChange> memberships;
  std::vector<std::shared_ptr<const membership::Labels>> labels;  // what these name
  std::vector<Intent> intents;
  std::vector<IntentKey> settled;
  Totals totals;
  std::shared_ptr<const void> bytes;
  size_t size = 0;  // of the bytes, about
};

// Somebody who wants to know what was applied: with a filter, a queue and a pace of its own.
class Consumer {
 public:
  virtual ~Consumer() = default;
  // Both on the apply thread, in the order of the log: quick, without waiting for anybody.
  virtual bool wants(const shard::Effects& effects) = 0;
  virtual void take(const std::shared_ptr<const AppliedSlice>& slice) = 0;
};

// Those of one engine. Any thread.
class Consumers {
 public:
  // The consumer must be taken out before it ends.
  void add(Consumer& consumer);
  // Behind its return the consumer is not called any more.
  void remove(Consumer& consumer);

  // The apply thread's. A slice that nobody wants is not made.
  void hand_on(const DurableBatch& batch, absl::Span<const shard::LogRecord> slice,
               const shard::Effects& effects, const Totals& totals);

 private:
  std::mutex mutex_;
  std::vector<Consumer*> all_;
  std::vector<Consumer*> wanting_;
};

}  // namespace kehu::replica
