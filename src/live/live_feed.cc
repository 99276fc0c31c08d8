#include "live/live_feed.h"

#include <algorithm>

#include "base/civil_day.h"
#include "base/text.h"
#include "definition/kind.h"
#include "http/parameters.h"
#include "http/problem.h"
#include "json/document.h"
#include "json/writer.h"
#include "model/event.h"
#include "replica/segment_rows.h"
#include "seal/masks.h"

namespace kehu::live {
namespace {

constexpr Duration kCountsPeriod = Duration::millis(500);

// A source alone asks for its requests.
std::vector<std::string> kinds_of(const http::Request& request) {
  const auto given = request.query("subscribe");
  if (!given && request.query("source")) return {"requests"};
  std::vector<std::string> kinds;
  for (std::string_view rest = given ? std::string_view(*given) : std::string_view(); !rest.empty();) {
    const size_t comma = std::min(rest.find(','), rest.size());
    kinds.emplace_back(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return kinds;
}

void write_event(json::Writer& writer, const replica::AppliedEvent& applied, const Event& event,
                 const engine::Project& project, seal::Opener& opener) {
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

std::string membership_text(const shard::MembershipChange& change) {
  std::string text;
  json::Writer writer(text);
  writer.begin_object().field("kind", "membership");
  writer.field(rule::to_string(change.rule->kind), change.rule->name);
  writer.field("customer_id", change.customer.hash.hex()).field("change", replica::change_name(change));
  writer.raw_field("value", replica::value_json(change)).field("at", format_utc(change.change.at));
  writer.field("sequence", change.sequence.value()).end_object();
  return text;
}

}  // namespace

// What one client wants. Replaced as a whole under the feed's lock; read on the feed's thread.
struct LiveFeed::Subscription {
  std::shared_ptr<http::LiveSink> sink;
  bool events = false;
  bool customers = false;
  bool counts = false;
  bool memberships = false;
  std::optional<SourceId> requests;  // of this source
  std::optional<CustomerId> customer;
  std::string event;
  std::string source;
  std::string segment;

  bool wants(const shard::MembershipChange& change) const {
    const bool named = change.rule->kind == rule::Kind::kSegment && change.rule->name == segment;
    return memberships && (!customer || *customer == change.customer) && (segment.empty() || named);
  }
  bool wants(const replica::AppliedEvent& applied, const Event& what, std::string_view source_name) const {
    return (!customer || *customer == applied.customer) && (event.empty() || event == what.name) &&
           (source.empty() || source == source_name);
  }
};

class LiveFeed::Channel final : public http::LiveChannel {
 public:
  explicit Channel(LiveFeed& feed) : feed_(feed) {}

  void on_open(const http::Request& request, std::shared_ptr<http::LiveSink> sink) override {
    sink_ = std::move(sink);
    auto subscription = std::make_shared<Subscription>();
    subscription->source = request.query("source").value_or("");
    subscription->event = request.query("event").value_or("");
    subscription->segment = request.query("segment").value_or("");
    if (const auto customer = request.query("customer")) {
      const auto id = Hash128::from_hex(*customer);
      // A filter that names nobody lets nothing through; without it everybody would come.
      subscription->customer = CustomerId{id.value_or(Hash128{})};
    }
    // What is not possible was refused before.
    for (const std::string& kind : kinds_of(request)) (void)set_kind(*subscription, kind);
    replace(std::move(subscription));
  }

  void on_text(std::string_view text) override {
    auto document = json::Document::parse(text);
    if (!document.ok() || !document->root().find("subscribe").is_array()) return refuse();
    auto subscription = std::make_shared<Subscription>();
    subscription->event = document->root().find("event").as_string().value_or("");
    subscription->source = document->root().find("source").as_string().value_or("");
    subscription->segment = document->root().find("segment").as_string().value_or("");
    for (const auto& kind : document->root().find("subscribe")) {
      if (!set_kind(*subscription, kind.value.as_string().value_or(""))) return refuse();
    }
    if (const json::Value customer = document->root().find("customer"); customer.exists()) {
      const auto id = Hash128::from_hex(customer.as_string().value_or(""));
      if (!id) return refuse();
      subscription->customer = CustomerId{*id};
    }
    if (!feed_.knows(subscription->segment)) return refuse_segment(subscription->segment);
    sink_->send(R"({"kind":"subscribed"})");
    replace(std::move(subscription));
  }

  std::string on_caught_up(uint64_t dropped) override {
    return cat(R"({"kind":"missed","messages":)", dropped, "}");
  }

  void on_close(http::CloseCode) override { remove(); }

 private:
  // False for a kind that does not exist, and for requests of a source that does not.
  bool set_kind(Subscription& subscription, std::string_view kind) const {
    if (kind == "requests") {
      const engine::Source* source = feed_.engine_.project()->find(subscription.source);
      if (source != nullptr) subscription.requests = source->id;
      return source != nullptr;
    }
    if (kind == "events") return subscription.events = true;
    if (kind == "customers") return subscription.customers = true;
    if (kind == "memberships") return subscription.memberships = true;
    return kind == "counts" && (subscription.counts = true);
  }

  void refuse_segment(std::string_view segment) {
    std::string out;
    json::Writer(out)
        .begin_object()
        .field("kind", "error")
        .field("code", "unknown_segment")
        .field("detail", cat("there is no segment ", segment, "; nothing was changed"))
        .end_object();
    sink_->send(out);
  }
  void refuse() {
    sink_->send(
        R"({"kind":"error","code":"bad_subscription","detail":)"
        R"("send {\"subscribe\": [\"events\", \"customers\", \"memberships\", \"counts\", \"requests\"], )"
        R"(\"customer\": a customer id, \"segment\": a segment's name, \"source\": a source's name, which )"
        R"(requests need}; nothing was changed"})");
  }

  void replace(std::shared_ptr<Subscription> subscription) {
    subscription->sink = sink_;
    remove();
    current_ = subscription;
    feed_.add(subscription);
    if (!subscription->requests) return;
    debugger::Recorder& recorder = feed_.debugger_.recorder();
    recorder.open(*subscription->requests, feed_.engine_.clock().now());
    for (const debugger::Text& text : recorder.last(*subscription->requests)) sink_->send(text);
  }

  void remove() {
    if (current_ == nullptr) return;
    feed_.remove(current_.get());
    if (!current_->requests) return;
    feed_.debugger_.recorder().close(*current_->requests, feed_.engine_.clock().now());
  }

  LiveFeed& feed_;
  std::shared_ptr<http::LiveSink> sink_;
  std::shared_ptr<Subscription> current_;
};

bool LiveFeed::knows(const std::string& segment) const {
  if (segment.empty()) return true;
  const auto project = engine_.project();
  const definition::Version* version = project->find(definition::kSegment, segment);
  return version != nullptr && !version->deleted;
}

// The feed follows what is applied on a thread of its own, and wants nothing while nobody listens. When it
// falls behind it is told how much it has missed, and tells its subscribers: what is applied never waits
// for them.
LiveFeed::LiveFeed(engine::Engine& engine, debugger::Debugger& debugger)
    : engine_(engine),
      debugger_(debugger),
      applied_(engine.consumers(), {.thread_name = "kehu-live",
                                    .wants = [this](const auto&) { return subscribers() > 0; },
                                    .consume = [this](const replica::AppliedSlice& slice,
                                                      uint64_t missed) { send(slice, missed); }}) {
  debugger_.recorder().set_listener(
      [this](SourceId source, const debugger::Text& text) { send_request(source, text); });
}

std::optional<http::Response> LiveFeed::refuse(const http::Request& request) const {
  constexpr std::string_view kKinds[] = {"events", "customers", "memberships", "counts", "requests"};
  if (const std::string segment = request.query("segment").value_or(""); !knows(segment)) {
    return http::to_response(http::Problem::not_found(
        cat("there is no segment ", segment, ": GET /api/v1/segments lists those that there are")));
  }
  for (const std::string& kind : kinds_of(request)) {
    if (std::find(std::begin(kKinds), std::end(kKinds), kind) == std::end(kKinds)) {
      return http::to_response(http::wrong_query(http::wrong_parameter(
          "subscribe",
          "a list of events, customers, memberships, counts and requests, with commas between them")));
    }
    const std::string source = request.query("source").value_or("");
    if (kind == "requests" && engine_.project()->find(source) == nullptr) {
      return http::to_response(
          http::Problem::not_found(cat("there is no source \"", source,
                                       "\" whose requests could be shown: GET /api/v1/sources lists them")));
    }
  }
  return std::nullopt;
}

std::unique_ptr<http::LiveChannel> LiveFeed::open() { return std::make_unique<Channel>(*this); }

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

void LiveFeed::send_request(SourceId source, const debugger::Text& text) {
  for (const auto& subscription : current()) {
    if (subscription->requests == source) subscription->sink->send(text);
  }
}

void LiveFeed::send(const replica::AppliedSlice& slice, uint64_t missed) {
  if (missed > 0) send_missed(missed);
  send_events(slice);
  send_memberships(slice);
  send_counts(slice);
}

// What was applied faster than it could be written here: nobody knows how many of them a filter lets through.
void LiveFeed::send_missed(uint64_t missed) const {
  const auto text = std::make_shared<const std::string>(cat(R"({"kind":"missed","messages":)", missed, "}"));
  for (const auto& subscription : current()) {
    if (subscription->events || subscription->customers || subscription->memberships) {
      subscription->sink->send(text);
    }
  }
}

// A text is written when the first subscriber wants it, and shared by all others. Nobody is waited for: a
// sink that is full drops the message and tells its client later how many it has missed.
void LiveFeed::send_events(const replica::AppliedSlice& slice) {
  auto subscriptions = current();
  std::erase_if(subscriptions, [](const auto& one) { return !one->events && !one->customers; });
  if (subscriptions.empty()) return;
  const auto project = engine_.project();
  seal::Opener opener(engine_.key(), engine_.ring());
  for (const replica::AppliedEvent& applied : slice.events) {
    if (!decoded_.decode(applied.record).ok()) continue;
    const Event& event = decoded_.event();
    const std::string_view source_name = project->name_of(event.source);
    std::shared_ptr<const std::string> event_text;
    std::shared_ptr<const std::string> customer_text;
    for (const auto& subscription : subscriptions) {
      if (!subscription->wants(applied, event, source_name)) continue;
      if (subscription->events) {
        if (event_text == nullptr) {
          std::string text;
          json::Writer writer(text);
          write_event(writer, applied, event, *project, opener);
          event_text = std::make_shared<const std::string>(std::move(text));
        }
        subscription->sink->send(event_text);
      }
      if (subscription->customers && !applied.customer.hash.is_zero()) {
        if (customer_text == nullptr) {
          std::string text;
          json::Writer writer(text);
          writer.begin_object().field("kind", "customer").field("customer_id", applied.customer.hash.hex());
          writer.field("change", applied.new_customer ? "created" : "updated");
          writer.field("sequence", applied.sequence.value()).field("event", event.name).end_object();
          customer_text = std::make_shared<const std::string>(std::move(text));
        }
        subscription->sink->send(customer_text);
      }
    }
  }
  for (const identity::Move& move : slice.moves) {
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

// What a version says that is still being filled in is nobody's business yet.
void LiveFeed::send_memberships(const replica::AppliedSlice& slice) const {
  auto subscriptions = current();
  std::erase_if(subscriptions, [](const auto& one) { return !one->memberships; });
  if (subscriptions.empty()) return;
  for (const shard::MembershipChange& change : slice.memberships) {
    if (!change.live) continue;
    std::shared_ptr<const std::string> text;
    for (const auto& subscription : subscriptions) {
      if (!subscription->wants(change)) continue;
      if (text == nullptr) text = std::make_shared<const std::string>(membership_text(change));
      subscription->sink->send(text);
    }
  }
}

void LiveFeed::send_counts(const replica::AppliedSlice& slice) {
  const Duration now = engine_.clock().monotonic();
  const Duration since = now - last_counts_;
  if (since < kCountsPeriod) return;
  const uint64_t events = slice.totals.events;
  // The first interval after a pause without subscribers says nothing about the rate.
  const bool fresh = since < Duration::seconds(5);
  const double rate =
      fresh ? static_cast<double>(events - events_at_last_counts_) * 1e6 / static_cast<double>(since.micros())
            : 0.0;
  last_counts_ = now;
  events_at_last_counts_ = events;
  std::string text;
  json::Writer writer(text);
  writer.begin_object().field("kind", "counts").field("time", format_utc(slice.tick)).field("events", events);
  writer.field("customers", slice.totals.customers).field("rejections", slice.totals.rejections);
  writer.field("events_per_second", rate).end_object();
  const auto shared = std::make_shared<const std::string>(std::move(text));
  for (const auto& subscription : current()) {
    if (subscription->counts) subscription->sink->send(shared);
  }
}

}  // namespace kehu::live
