#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "channel/channel.h"
#include "channel/delivery_log.h"
#include "engine/submission.h"
#include "engine/words.h"
#include "os/clock.h"
#include "outbox/lane.h"
#include "replica/consumer.h"
#include "state/database.h"

namespace kehu::engine {

// Brings the outbox's intents into the world: in the order in which they were caused, many at a time, each
// until its channel says what became of it; then logs the receipt. docs/decisions/outbox.md.
//
// It learns of new intents as they are applied, and holds kHeldMax of each channel at most. Beyond, it reads
// them from the last checkpoint, in order, when it has come so far: nobody waits for it, however many are
// pending, and no channel for another one (outbox/lane.h).
class OutboxSender final : public Consumer {
 public:
  static constexpr size_t kHeldMax = 10'000;

  struct Options {
    // By name, or by how names begin, up to a colon; intents of other names stay in the outbox.
    std::map<std::string, std::shared_ptr<channel::Channel>, std::less<>> channels;
    Duration first_pause = Duration::seconds(1);  // before the second attempt; doubled for each further one
    Duration longest_pause = Duration::seconds(60);
    // Takes lines for the operator, on the sender's own thread; see DeliveryLog.
    std::function<void(std::string_view)> warn = {};
  };
  using Submit = std::function<absl::Status(Submission)>;
  // All outlive it.
  OutboxSender(const state::Database& database, os::Clock& clock, Submit submit, Options options);
  ~OutboxSender() override;

  // Begins with what the database holds. Before it, intents are already taken.
  void start();
  // Forgets what is under way; the next start tries it again.
  void stop();

  bool wants(const shard::Effects& effects) override;
  void take(const std::shared_ptr<const AppliedSlice>& slice) override;

  struct Counters {
    uint64_t attempts = 0;
    uint64_t failures = 0;         // to be tried again
    uint64_t refusals = 0;         // for good
    uint64_t without_channel = 0;  // intents of channels that are not configured
  };
  Counters counters() const;
  // OK, or why the last attempt failed.
  absl::Status health() const;

 private:
  // What deliveries answer to, also when this has ended meanwhile.
  struct Desk;

  // What is pending of one channel, and who acts on it.
  struct Lane {
    std::shared_ptr<channel::Channel> channel;
    outbox::Lane intents;
  };

  void run();
  void find_stored();
  Lane* lane_of(std::string_view channel, std::optional<Sequence> stored = std::nullopt);
  void read_on(const std::string& channel);
  void begin_due(const std::string& channel, std::unique_lock<std::mutex>& lock);
  void finish(const std::string& channel, const IntentKey& key, absl::StatusOr<channel::Delivery> result);
  void log_receipts(std::unique_lock<std::mutex>& lock);
  void warn(std::unique_lock<std::mutex>& lock);
  void refused(const absl::Status& why);
  bool is_idle() const;
  bool can_log() const;

  const state::Database& database_;
  os::Clock& clock_;
  Submit submit_;
  Options options_;
  std::shared_ptr<Desk> desk_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::map<std::string, Lane, std::less<>> lanes_;
  std::map<IntentKey, Sequence> settled_;  // whose receipt no checkpoint has yet: by its position
  struct Made {
    IntentKey key;
    channel::Delivery delivery;
  };
  std::deque<Made> receipts_;  // to be logged
  bool logging_ = false;
  Duration log_again_;  // not before, since the log took none
  Counters counters_;
  channel::DeliveryLog delivery_log_;
  std::vector<std::string> lines_;  // to be written
  absl::Status health_;
  std::thread thread_;
};

}  // namespace kehu::engine
