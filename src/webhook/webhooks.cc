#include "webhook/webhooks.h"

#include <algorithm>
#include <utility>

#include "base/civil_day.h"
#include "base/text.h"
#include "document/customer_document.h"
#include "json/writer.h"
#include "os/thread_name.h"
#include "seal/opener.h"
#include "seal/webhook_secret.h"

// A message goes from the outbox's sender to the apply thread, which knows the customer's identifiers; from
// there to the thread of this room, which signs it; and to the fetcher's, which sends it. Nobody waits for
// anybody, and how many are on their way is bounded by the sender.
namespace kehu::webhook {
namespace {

// A receiver that is away for a moment is no reason to give it up, however old its messages are.
constexpr Duration kPatience = Duration::seconds(60);
constexpr int kGone = 410;

std::string duration_text(Duration duration) {
  const int64_t seconds = duration.micros() / 1'000'000;
  if (seconds % 86'400 == 0) return cat(seconds / 86'400, seconds == 86'400 ? " day" : " days");
  return cat(seconds, " s");
}

std::string identifiers_of(engine::Engine& engine, replica::Replica& replica, CustomerId customer) {
  seal::Opener opener(engine.key(), engine.ring());
  std::string out;
  json::Writer writer(out);
  document::write_identifier_list(writer, replica.shard().identities().identifiers_of(customer),
                                  *replica.project()->settings(), opener);
  return out;
}

}  // namespace

// Answers when it goes away unanswered: whoever drops it is stopping.
struct Webhooks::Pending {
  Intent intent;
  Done done;
  std::shared_ptr<const definition::Webhook> webhook = {};  // as it is sent
  Message message = {};

  void answer(absl::StatusOr<channel::Delivery> result) { std::exchange(done, nullptr)(std::move(result)); }
  ~Pending() {
    if (done) done(absl::CancelledError("stopping"));
  }
};

Webhooks::Webhooks(Options options)
    : options_(std::move(options)),
      fetcher_({.thread_name = "kehu-webhook", .at_once = kAtOnce * definition::Webhook::kMost}) {}

Webhooks::~Webhooks() { stop(); }

void Webhooks::start(engine::Engine& engine) {
  engine_ = &engine;
  engine.consumers().add(*this);
  thread_ = std::thread([this] { run(); });
  const std::lock_guard lock(mutex_);
  started_ = true;
  changed_.notify_all();
}

void Webhooks::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(stopping_, true)) return;
  }
  changed_.notify_all();
  if (engine_ != nullptr) engine_->consumers().remove(*this);
  fetcher_.stop();
  if (thread_.joinable()) thread_.join();
  std::deque<Job> left;
  {
    const std::lock_guard lock(mutex_);
    left.swap(jobs_);
  }
  left.clear();
  parked_.clear();
}

void Webhooks::post(Job job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    jobs_.push_back(std::move(job));
  }
  changed_.notify_one();
}

void Webhooks::run() {
  os::name_this_thread("kehu-webhooks");
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || (started_ && !jobs_.empty()); });
    if (stopping_) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
  }
}

bool Webhooks::wants(const shard::Effects& effects) {
  const bool changed = std::ranges::any_of(effects.definitions, [](const definition::NamedVersion& named) {
    return named.kind->name == definition::kWebhook;
  });
  if (changed) post([this] { handle_parked(); });
  return false;  // the slice itself
}

void Webhooks::deliver(const Intent& intent, Done done) {
  auto pending = std::make_shared<Pending>();
  pending->intent = intent;
  pending->done = std::move(done);
  post([this, pending = std::move(pending)]() mutable { handle(std::move(pending)); });
}

void Webhooks::handle_parked() {
  for (Shared& pending : std::exchange(parked_, {})) handle(std::move(pending));
}

void Webhooks::handle(Shared pending) {
  const Intent& intent = pending->intent;
  pending->webhook = definition::webhook_of_channel(*engine_->project(), intent.channel);
  if (pending->webhook == nullptr) {
    return pending->answer(channel::Delivery{IntentOutcome::kRefused, "the webhook is deleted"});
  }
  if (!pending->webhook->enabled) return parked_.push_back(std::move(pending));
  auto message = parse_message(intent.body);
  if (!message.ok()) {
    return pending->answer(channel::Delivery{IntentOutcome::kRefused, message_of(message.status())});
  }
  pending->message = *std::move(message);
  if (intent.customer.hash.is_zero()) return send(std::move(pending), "");
  identify(std::move(pending));
}

void Webhooks::identify(Shared pending) {
  engine_->inspect([this, pending = std::move(pending)](replica::Replica& replica) mutable {
    std::string identifiers = identifiers_of(*engine_, replica, pending->intent.customer);
    if (!engine_->reads_sound(replica)) return;
    post([this, pending = std::move(pending), identifiers = std::move(identifiers)]() mutable {
      send(std::move(pending), identifiers);
    });
  });
}

void Webhooks::send(Shared pending, const std::string& identifiers) {
  auto request = request_of(engine_->key(), *pending->webhook,
                            seal::webhook_message_id(engine_->key(), pending->intent.key),
                            body_of(pending->message, identifiers), engine_->clock().now());
  if (!request.ok()) return failed(pending, request.status(), false);
  request->only_public = !options_.private_addresses;
  const absl::Status taken =
      fetcher_.fetch(*std::move(request), [this, pending](absl::StatusOr<fetch::Response> response) {
        post([this, pending, response = std::move(response)] { judge(pending, response); });
      });
  if (!taken.ok()) pending->answer(taken);
}

void Webhooks::judge(const Shared& pending, const absl::StatusOr<fetch::Response>& response) {
  if (!response.ok()) return failed(pending, response.status(), false);
  if (!response->ok()) {
    return failed(pending, failure(absl::StatusCode::kUnavailable, "it answered ", response->status),
                  response->status == kGone);
  }
  {
    const std::lock_guard lock(mutex_);
    standings_[pending->webhook->id] = {.delivered = engine_->clock().now(), .failing = std::nullopt};
  }
  pending->answer(channel::Delivery{IntentOutcome::kDelivered, cat(response->status)});
}

// How long it has been failing is read off the message, whose age outlives a restart. A message that fails
// while others are delivered is given up by itself.
void Webhooks::failed(const Shared& pending, const absl::Status& why, bool gone) {
  const definition::Webhook& webhook = *pending->webhook;
  const Instant now = engine_->clock().now();
  Standing standing;
  {
    const std::lock_guard lock(mutex_);
    Standing& known = standings_[webhook.id];
    if (!known.failing) known.failing = now;
    known.failure = message_of(why);
    standing = known;
  }
  const bool old = now - std::max(pending->message.noted, webhook.enabled_since) > webhook.give_up_after;
  const bool alive = standing.delivered && now - *standing.delivered < webhook.give_up_after;
  const bool long_enough = now - *standing.failing >= std::min(webhook.give_up_after, kPatience);
  if (gone) {
    disable(webhook, "it answered 410: it wants no messages any more");
  } else if (old && alive) {
    return pending->answer(channel::Delivery{IntentOutcome::kRefused,
                                             cat("given up after ", duration_text(webhook.give_up_after))});
  } else if (old && long_enough) {
    disable(webhook, cat("no message was taken for ", duration_text(webhook.give_up_after),
                         "; the last time: ", message_of(why)));
  }
  pending->answer(why);
}

// Somebody may have changed it meanwhile: then it is looked at again with the next failure.
void Webhooks::disable(const definition::Webhook& webhook, const std::string& why) {
  const auto project = engine_->project();
  const auto now = definition::find_webhook(*project, webhook.name);
  if (now == nullptr || !now->enabled || now->enabled_since != webhook.enabled_since) return;
  definition::Webhook disabled = *now;
  disabled.enabled = false;
  disabled.disabled_because = why;
  const std::string body = definition::to_json(disabled);
  const Definition change{.kind = definition::kWebhook,
                          .name = webhook.name,
                          .body = body,
                          .actor = "kehu",
                          .base = project->find(definition::kWebhook, webhook.name)->sequence};
  const auto defined = engine_->define({&change, 1});
  if (defined.ok() && options_.warn) options_.warn(cat("the webhook ", webhook.name, " is disabled: ", why));
}

void Webhooks::try_out(std::shared_ptr<const definition::Webhook> webhook, Tried tried) {
  post([this, webhook = std::move(webhook), tried = std::move(tried)] {
    const Instant now = engine_->clock().now();
    auto request = request_of(engine_->key(), *webhook, cat("msg_test_", webhook->id, "_", now.micros()),
                              body_of(sample_message(now), "[]"), now);
    if (!request.ok()) return tried(request.status());
    request->only_public = !options_.private_addresses;
    const absl::Status taken =
        fetcher_.fetch(*std::move(request), [tried](const absl::StatusOr<fetch::Response>& response) {
          tried(response.ok() ? absl::StatusOr<int>(response->status) : response.status());
        });
    if (!taken.ok()) tried(taken);
  });
}

Standing Webhooks::standing(uint32_t webhook) const {
  const std::lock_guard lock(mutex_);
  const auto known = standings_.find(webhook);
  return known == standings_.end() ? Standing{} : known->second;
}

}  // namespace kehu::webhook
