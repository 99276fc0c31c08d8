#include "api/live_feed.h"

#include <algorithm>

#include "base/civil_day.h"
#include "base/text.h"
#include "json/document.h"
#include "json/writer.h"
#include "model/event.h"
#include "seal/masks.h"

namespace kehu::api {
namespace {

constexpr Duration kCountsPeriod = Duration::millis(500);

void write_event(json::Writer& writer, const shard::Applied& applied, const engine::Project& project,
                 seal::Opener& opener) {
  const Event& event = *applied.event;
  writer.begin_object().field("kind", "event").field("sequence", applied.sequence.value());
  writer.field("customer_id", applied.customer.hash.hex()).field("new_customer", applied.new_customer);
  writer.field("type", to_string(event.type)).field("event", event.name);
  writer.field("time", format_utc(event.time)).field("received_at", format_utc(event.received_at));
  writer.field("source", project.name_of(event.source));
  writer.field("channel", to_string(event.channel)).field("message_id", event.message_id);
  writer.raw_field("properties", seal::mask_json(event.properties, opener));
  writer.raw_field("traits", seal::mask_json(event.traits, opener));
  writer.end_object();
}

}  // namespace

// What one client wants. Replaced as a whole under the feed's lock; read on the apply thread.
struct LiveFeed::Subscription {
  std::shared_ptr<LiveSink> sink;
  bool events = false;
  bool customers = false;
  bool counts = false;
  std::optional<CustomerId> customer;
  std::string event;
  std::string source;

  bool wants(const shard::Applied& applied, std::string_view source_name) const {
    return (!customer || *customer == applied.customer) && (event.empty() || event == applied.event->name) &&
           (source.empty() || source == source_name);
  }
};

class LiveFeed::Channel final : public LiveChannel {
 public:
  explicit Channel(LiveFeed& feed) : feed_(feed) {}

  void on_open(const Request& request, std::shared_ptr<LiveSink> sink) override {
    sink_ = std::move(sink);
    auto subscription = std::make_shared<Subscription>();
    subscription->source = request.query("source").value_or("");
    subscription->event = request.query("event").value_or("");
    if (const auto customer = request.query("customer")) {
      const auto id = Hash128::from_hex(*customer);
      // A filter that names nobody lets nothing through; without it everybody would come.
      subscription->customer = CustomerId{id.value_or(Hash128{})};
    }
    const std::string kinds = request.query("subscribe").value_or("");
    set_kind(*subscription, kinds.find("events") != std::string::npos, "events");
    set_kind(*subscription, kinds.find("customers") != std::string::npos, "customers");
    set_kind(*subscription, kinds.find("counts") != std::string::npos, "counts");
    replace(std::move(subscription));
  }

  void on_text(std::string_view text) override {
    auto document = json::Document::parse(text);
    if (!document.ok() || !document->root().find("subscribe").is_array()) return refuse();
    auto subscription = std::make_shared<Subscription>();
    for (const auto& kind : document->root().find("subscribe")) {
      if (!set_kind(*subscription, true, kind.value.as_string().value_or(""))) return refuse();
    }
    subscription->event = document->root().find("event").as_string().value_or("");
    subscription->source = document->root().find("source").as_string().value_or("");
    if (const json::Value customer = document->root().find("customer"); customer.exists()) {
      const auto id = Hash128::from_hex(customer.as_string().value_or(""));
      if (!id) return refuse();
      subscription->customer = CustomerId{*id};
    }
    replace(std::move(subscription));
    sink_->send(R"({"kind":"subscribed"})");
  }

  std::string on_caught_up(uint64_t dropped) override { return cat(R"({"kind":"missed","messages":)", dropped, "}"); }

  void on_close(CloseCode) override {
    if (current_ != nullptr) feed_.remove(current_.get());
  }

 private:
  // False for a kind that does not exist.
  static bool set_kind(Subscription& subscription, bool on, std::string_view kind) {
    if (kind == "events") return subscription.events = on, true;
    if (kind == "customers") return subscription.customers = on, true;
    if (kind == "counts") return subscription.counts = on, true;
    return false;
  }

  void refuse() {
    sink_->send(
        R"({"kind":"error","code":"bad_subscription","detail":)"
        R"("send {\"subscribe\": [\"events\", \"customers\", \"counts\"], \"customer\": a customer id}; )"
        R"(nothing was changed"})");
  }

  void replace(std::shared_ptr<Subscription> subscription) {
    subscription->sink = sink_;
    if (current_ != nullptr) feed_.remove(current_.get());
    current_ = subscription;
    feed_.add(std::move(subscription));
  }

  LiveFeed& feed_;
  std::shared_ptr<LiveSink> sink_;
  std::shared_ptr<Subscription> current_;
};

LiveFeed::LiveFeed(engine::Engine& engine) : engine_(engine) {
  engine_.set_observer([this](const engine::AppliedBatch& batch) { observe(batch); });
}

LiveFeed::~LiveFeed() { engine_.set_observer({}); }

std::unique_ptr<LiveChannel> LiveFeed::open() { return std::make_unique<Channel>(*this); }

size_t LiveFeed::subscribers() const { return count_.load(std::memory_order_relaxed); }

void LiveFeed::add(std::shared_ptr<Subscription> subscription) {
  const std::lock_guard lock(mutex_);
  subscriptions_.push_back(std::move(subscription));
  count_ = subscriptions_.size();
}

void LiveFeed::remove(const Subscription* subscription) {
  const std::lock_guard lock(mutex_);
  std::erase_if(subscriptions_, [subscription](const auto& s) { return s.get() == subscription; });
  count_ = subscriptions_.size();
}

std::vector<std::shared_ptr<LiveFeed::Subscription>> LiveFeed::current() const {
  const std::lock_guard lock(mutex_);
  return subscriptions_;
}

void LiveFeed::observe(const engine::AppliedBatch& batch) {
  if (subscribers() == 0) return;
  send_events(batch);
  send_counts(batch);
}

void LiveFeed::send_events(const engine::AppliedBatch& batch) {
  const auto subscriptions = current();
  const auto project = engine_.project();
  seal::Opener opener(engine_.key(), engine_.ring());
  for (const shard::Applied& applied : batch.effects.events) {
    const std::string_view source_name = project->name_of(applied.event->source);
    std::shared_ptr<const std::string> event_text;
    std::shared_ptr<const std::string> customer_text;
    for (const auto& subscription : subscriptions) {
      if (!subscription->wants(applied, source_name)) continue;
      if (subscription->events) {
        if (event_text == nullptr) {
          std::string text;
          json::Writer writer(text);
          write_event(writer, applied, *project, opener);
          event_text = std::make_shared<const std::string>(std::move(text));
        }
        subscription->sink->send(event_text);
      }
      if (subscription->customers) {
        if (customer_text == nullptr) {
          std::string text;
          json::Writer writer(text);
          writer.begin_object().field("kind", "customer").field("customer_id", applied.customer.hash.hex());
          writer.field("change", applied.new_customer ? "created" : "updated");
          writer.field("sequence", applied.sequence.value()).field("event", applied.event->name).end_object();
          customer_text = std::make_shared<const std::string>(std::move(text));
        }
        subscription->sink->send(customer_text);
      }
    }
  }
  for (const identity::Move& move : batch.effects.moves) {
    std::string text;
    json::Writer writer(text);
    writer.begin_object().field("kind", "customer").field("customer_id", move.to.hash.hex());
    writer.field("change", "joined").field("from", move.from.hash.hex()).end_object();
    const auto shared = std::make_shared<const std::string>(std::move(text));
    for (const auto& subscription : subscriptions) {
      const bool wanted = !subscription->customer || *subscription->customer == move.to ||
                          *subscription->customer == move.from;
      if (subscription->customers && wanted) subscription->sink->send(shared);
    }
  }
}

void LiveFeed::send_counts(const engine::AppliedBatch& batch) {
  const Duration now = engine_.clock().monotonic();
  const Duration since = now - last_counts_;
  if (since < kCountsPeriod) return;
  const uint64_t events = batch.totals.events;
  // The first interval after a pause without subscribers says nothing about the rate.
  const bool fresh = since < Duration::seconds(5);
  const double rate =
      fresh ? static_cast<double>(events - events_at_last_counts_) * 1e6 / static_cast<double>(since.micros())
            : 0.0;
  last_counts_ = now;
  events_at_last_counts_ = events;
  std::string text;
  json::Writer writer(text);
  writer.begin_object().field("kind", "counts").field("time", format_utc(batch.tick)).field("events", events);
  writer.field("customers", batch.totals.customers).field("rejections", batch.totals.rejections);
  writer.field("events_per_second", rate).end_object();
  const auto shared = std::make_shared<const std::string>(std::move(text));
  for (const auto& subscription : current()) {
    if (subscription->counts) subscription->sink->send(shared);
  }
}

}  // namespace kehu::api
