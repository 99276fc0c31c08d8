#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include "debugger/debugger.h"
#include "engine/submission.h"
#include "gateway/gateway.h"
#include "gateway/intake_summary.h"
#include "intake/sender.h"
#include "trace/span.h"

namespace kehu::gateway {

// The parts of a request, or of the messages of a stream, on their way to the log: how many are under way,
// whether their sender is to be held back, and what became of those that arrived. What it means to a sender,
// his protocol says by the hooks. Shared by the connection's thread, which submits, and the log's thread;
// lives until the last part has arrived. Thread-safe; hooks are called under the lock.
class LogParts : public std::enable_shared_from_this<LogParts> {
 public:
  // Of what is under way: from either on, the sender is held back until there are fewer parts and at most
  // half of the bytes.
  struct Bound {
    size_t parts = SIZE_MAX;
    size_t bytes = SIZE_MAX;
  };
  struct Part {
    debugger::FollowedRequest followed = {};
    size_t first_entry = 0;  // of the part's records, where those of `followed` begin
    uint64_t message = 0;    // of a stream: the last one that the part completes
    trace::ActiveSpan waiting = {};
  };

  LogParts(Gateway& gateway, const Bound& bound) : gateway_(gateway), bound_(bound) {}
  virtual ~LogParts() = default;
  LogParts(const LogParts&) = delete;
  LogParts& operator=(const LogParts&) = delete;

  // Sends the records of `decoded`, of which there are some, and leaves it empty.
  void submit(intake::Intake& decoded, Part part);
  // No further part will come; the second, because what brought them failed.
  void end();
  void fail(const absl::Status& why);

 protected:
  struct Sent {
    debugger::FollowedRequest followed;
    size_t number = 0;  // among the parts of `followed`
    uint64_t message = 0;
    size_t bytes = 0;
    IntakeSummary found = {};  // by decoding
  };

  virtual void hold() {}
  virtual void go_on() {}
  // A part is durable, or is not: adds it to the summary, or notes the first failure.
  virtual void settle(const Sent& sent, const engine::Ack& ack);
  // Everything has arrived and nothing more comes. Called once.
  virtual void complete() {}

  std::mutex& mutex() { return mutex_; }
  // All of these under the lock.
  bool holds() const { return holds_; }
  bool under_way() const { return parts_ > 0; }
  bool completed() const { return completed_; }
  void cease() { ended_ = true; }
  const absl::Status& failure() const { return failure_; }
  IntakeSummary& summary() { return summary_; }

 private:
  void depart(size_t bytes);
  void arrive(const Sent& sent, const engine::Ack& ack);
  void complete_if_done();

  Gateway& gateway_;
  const Bound bound_;
  std::mutex mutex_;
  size_t parts_ = 0, bytes_ = 0;  // under way
  bool holds_ = false;
  bool ended_ = false;
  bool completed_ = false;
  absl::Status failure_;
  IntakeSummary summary_;  // of those that are durable
};

}  // namespace kehu::gateway
