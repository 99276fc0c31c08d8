#pragma once

#include <condition_variable>
#include <cstdint>
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

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "channel/channel.h"
#include "definition/webhook.h"
#include "engine/engine.h"
#include "fetch/fetcher.h"
#include "replica/consumer.h"
#include "webhook/message.h"

// What customers become, told to servers outside: signed messages by the Standard Webhooks specification
// (docs/webhooks.md).
namespace kehu::webhook {

struct Options {
  // Receivers may be at addresses that are not of the public internet: whoever may change definitions could
  // otherwise send requests to what only this machine reaches.
  bool private_addresses = false;
  // Told, on a thread of its own, when a webhook is disabled.
  std::function<void(std::string_view)> warn = {};
};

// How a webhook has done since the start.
struct Standing {
  std::optional<Instant> delivered;  // the last time
  std::optional<Instant> failing;    // since when, without a delivery between
  std::string failure = {};          // the last one
};

// The channel of all webhooks. Messages of one that is disabled wait here, as many as may be under way; those
// of a deleted one are refused. Any thread.
class Webhooks final : public channel::Channel, private replica::Consumer {
 public:
  static constexpr size_t kAtOnce = 16;  // requests to one receiver

  explicit Webhooks(Options options);
  ~Webhooks() override;

  // Until then, messages wait. The engine outlives stop().
  void start(engine::Engine& engine);
  // Ends what is under way; once.
  void stop();

  size_t at_once() const override { return kAtOnce; }
  void deliver(const Intent& intent, Done done) override;

  // One message that is a sample, now, also when the webhook is disabled. The status of the answer, or why
  // there is none; called once, from a thread that must not wait.
  using Tried = std::function<void(absl::StatusOr<int>)>;
  void try_out(std::shared_ptr<const definition::Webhook> webhook, Tried tried);

  Standing standing(uint32_t webhook) const;

 private:
  struct Pending;
  using Shared = std::shared_ptr<Pending>;
  using Job = absl::AnyInvocable<void()>;

  bool wants(const shard::Effects& effects) override;
  void take(const std::shared_ptr<const replica::AppliedSlice>&) override {}

  void post(Job job);
  void run();
  void handle(Shared pending);
  void handle_parked();
  void identify(Shared pending);
  void send(Shared pending, const std::string& identifiers);
  void judge(const Shared& pending, const absl::StatusOr<fetch::Response>& response);
  void failed(const Shared& pending, const absl::Status& why, bool gone);
  void disable(const definition::Webhook& webhook, const std::string& why);

  const Options options_;
  engine::Engine* engine_ = nullptr;
  fetch::Fetcher fetcher_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool started_ = false;  // under mutex_, as are the following
  bool stopping_ = false;
  std::deque<Job> jobs_;
  std::map<uint32_t, Standing> standings_;
  std::vector<Shared> parked_;  // the thread's
  std::thread thread_;
};

}  // namespace kehu::webhook
