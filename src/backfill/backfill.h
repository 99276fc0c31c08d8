#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "absl/status/status.h"
#include "engine/engine.h"
#include "query/session.h"
#include "replica/consumer.h"
#include "shard/shard.h"

// New rules on old data: reads the archive, and logs what their tallies would have counted and who is to be
// asked (shard/shard_backfill.cc), beside the stream of events.
namespace kehu::backfill {

// How fast it has been since the round began, or since it was resumed.
struct Pace {
  double events_per_second = 0;  // counted; one that several tallies count, as often
  double parts_per_second = 0;   // logged
};

// One thread. It is told of new definitions as they are applied, and works until nothing is left to be filled
// in, unless it is paused (definition/backfill_pause.h); after a restart it goes on behind the last part that
// the log has.
class Backfill final : private replica::Consumer {
 public:
  // Both outlive it. `warn` is told, on its thread, of what keeps it from going on; it tries again.
  Backfill(engine::Engine& engine, query::Reader& reader, std::function<void(std::string_view)> warn);
  ~Backfill() override;
  Backfill(const Backfill&) = delete;

  // Nothing is filled in any more; once or more often.
  void stop();

  // Zero while it rests. Any thread.
  Pace pace() const;
  // What keeps it from going on, for the operator; empty as soon as it goes on. Any thread.
  std::string trouble() const;

 private:
  using Round = membership::Registry::Round;
  bool wants(const shard::Effects& effects) override;
  void take(const std::shared_ptr<const replica::AppliedSlice>&) override {}

  void run();
  bool wait_for_work();
  absl::Status fill_in();
  absl::Status count(const shard::Shard::BackfillJob& job);
  absl::Status ask(const Round& round);
  class Records;
  void set_trouble(std::string trouble);
  absl::Status going_on();  // Cancelled behind the beginning of the end, and while it is paused
  void begin_pace();
  void end_pace() { pace_began_ = 0; }

  engine::Engine& engine_;
  query::Reader& reader_;
  std::function<void(std::string_view)> warn_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string trouble_;
  bool stopping_ = false;
  bool woken_ = true;                           // there may be work from before the start
  std::atomic<int64_t> pace_began_{0};          // in microseconds of the monotonic clock; 0: it rests
  std::atomic<uint64_t> events_{0}, parts_{0};  // since then
  std::thread thread_;                          // ends first
};

}  // namespace kehu::backfill
