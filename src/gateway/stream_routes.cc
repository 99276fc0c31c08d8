#include <algorithm>
#include <memory>
#include <optional>

#include "base/text.h"
#include "debugger/debugger.h"
#include "gateway/gateway.h"
#include "gateway/intake_call.h"
#include "gateway/intake_thread.h"
#include "gateway/log_parts.h"
#include "gateway/source_claim.h"
#include "http/live_channel.h"
#include "intake/bulk.h"
#include "json/writer.h"

namespace kehu::gateway {
namespace {

constexpr size_t kPartBytes = 256u << 10;
constexpr size_t kWaitingBytes = 1u << 20;
// This bounds what one message becomes in one submission.
constexpr size_t kMessageBytes = 2u << 20;
// This bounds one message as it comes.
constexpr size_t kReceivedBytes = 1u << 20;
// The subprotocol, chosen when offered. Browsers, which cannot set headers, offer the write key beside it, as
// "kehu.key.KEY".
constexpr std::string_view kStreamProtocol = "kehu.stream";
constexpr std::string_view kKeyProtocol = "kehu.key.";
constexpr std::string_view kOrigin = "/api/v1/stream";

std::optional<std::string> key_of_protocols(const Request& request) {
  for (const Header& header : request.headers) {
    if (!equals_ignore_case(header.name, "Sec-WebSocket-Protocol")) continue;
    for (std::string_view rest = header.value; !rest.empty();) {
      const size_t comma = rest.find(',');
      std::string_view item = rest.substr(0, comma);
      rest = comma == rest.npos ? std::string_view() : rest.substr(comma + 1);
      while (item.starts_with(' ')) item.remove_prefix(1);
      while (item.ends_with(' ')) item.remove_suffix(1);
      if (item.starts_with(kKeyProtocol)) return std::string(item.substr(kKeyProtocol.size()));
    }
  }
  return std::nullopt;
}

SourceClaim claim_of(const Gateway& gateway, const Request& request) {
  return SourceClaim::of(gateway, request, key_of_protocols(request));
}

// The parts of one stream: acks in order, one of which may stand for many messages.
class StreamParts final : public LogParts {
 public:
  StreamParts(Gateway& gateway, std::shared_ptr<LiveSink> sink)
      : LogParts(gateway, {.bytes = kWaitingBytes}), sink_(std::move(sink)) {}

  // Everything up to `message` is decoded, and handed in as far as it became records.
  void handed_in(uint64_t message) {
    const std::lock_guard lock(mutex());
    handed_in_ = message;
    if (!under_way() && failure().ok()) tell_acked(message);
  }

  // On the connection's thread, when the client has taken the acks before. The moment is asked for, instead
  // of sending at once, because that makes acks few: while a client is slow to take one, all later ones
  // become the next.
  void send_ack() {
    const std::lock_guard lock(mutex());
    if (acked_ > told_) {
      std::string text;
      json::Writer writer(text);
      writer.begin_object().field("ack", acked_);
      summary().write(writer);
      writer.end_object();
      sink_->send(std::move(text));
      told_ = acked_;
      summary() = {};
    }
    if (!failure().ok()) return close_failed();
    if (stopping_ && !under_way()) sink_->close(CloseCode::kGoingAway, "the server is stopping");
  }

  // True when nothing is left to be told.
  bool stop() {
    const std::lock_guard lock(mutex());
    stopping_ = true;
    sink_->hold();
    return !under_way() && acked_ == told_;
  }

 private:
  void hold() override { sink_->hold(); }
  void go_on() override {
    if (!stopping_) sink_->go_on();
  }

  // What is behind a failure has no ack, whatever became of it.
  void settle(const Sent& sent, const engine::Ack& ack) override {
    sent.followed.answered(ack.status.ok() ? cat("ack ", sent.message) : std::string("the stream is closed"));
    if (!failure().ok()) return;
    LogParts::settle(sent, ack);
    if (!failure().ok()) return sink_->ask_ready();
    tell_acked(under_way() ? sent.message : std::max(handed_in_, sent.message));
  }

  void tell_acked(uint64_t message) {
    acked_ = message;
    sink_->ask_ready();
  }

  void close_failed() {
    const bool full = failure().code() == absl::StatusCode::kResourceExhausted;
    const Problem problem = log_problem(failure());
    std::string text;
    json::Writer writer(text);
    writer.begin_object().field("error", problem.code).field("detail", problem.detail).end_object();
    sink_->send(std::move(text));
    const bool later = full || failure().code() == absl::StatusCode::kUnavailable;
    sink_->close(later ? CloseCode::kTryAgainLater : CloseCode::kInternal,
                 "send again what has no ack, after a second");
  }

  const std::shared_ptr<LiveSink> sink_;
  bool stopping_ = false;
  uint64_t handed_in_ = 0, acked_ = 0, told_ = 0;  // numbers of messages; the summary is since the ack before
};

// Each thread has one: decoding keeps its buffers from message to message and from stream to stream.
struct Desk {
  intake::Sender sender;
  intake::BulkDecoder decoder{sender};
};

// Events over one WebSocket. Each message is a body as POST /api/v1/events takes it: an event, an array of
// events, or lines. When everything up to the n-th message is durable, the client hears
//
//   {"ack": n, "accepted": …, "repeats": …, "conflicts": …, "rejected": …}
//
// with what was counted since the ack before. One ack may stand for many messages; acks come in order. At
// most 1 MiB of a client's events waits for the log, then it is held back. A failure is told by
// {"error": code, "detail": …} and closes: what has no ack is to be sent again.
class StreamChannel final : public LiveChannel {
 public:
  explicit StreamChannel(Gateway& gateway) : gateway_(gateway) {}

  void on_open(const Request& request, std::shared_ptr<LiveSink> sink) override {
    claim_ = claim_of(gateway_, request);
    address_ = request.remote;
    arrival_ = gateway_.debugger().arrival_of(request);
    arrival_.method = "MESSAGE";
    sink_ = std::move(sink);
    parts_ = std::make_shared<StreamParts>(gateway_, sink_);
  }

  void on_text(std::string_view text) override { take(text); }
  bool on_binary(std::string_view bytes) override {
    take(bytes);
    return true;
  }
  void on_burst_end() override {
    submit();
    parts_->handed_in(message_);
  }
  void on_ready() override { parts_->send_ack(); }
  void on_close(CloseCode) override {}
  bool on_stop() override { return parts_->stop(); }

 private:
  void take(std::string_view message) {
    if (closed_) return;
    IntakeRoom& room = intake_room(gateway_);
    const engine::Source* source = current_source(room);
    if (source == nullptr) {
      closed_ = true;
      return sink_->close(CloseCode::kPolicy, "the write key is not valid any more");
    }
    ++message_;
    thread_local Desk desk;
    desk.sender = {.policy = &room.policy,
                   .door = &room.door,
                   .project = engine::Project::kDefault,
                   .source = source->id,
                   .default_channel = source->channel,
                   .received_at = gateway_.engine().clock().now(),
                   .remote_ip = address_,
                   .origin = kOrigin,
                   .protocol = Protocol::kStream};
    const uint64_t before = intake_.accepted + intake_.rejected;
    Mark mark{.entries = intake_.records.entries.size(), .rejected = intake_.rejected};
    uint64_t events = 0;
    desk.decoder.begin_whole(message);
    while (desk.decoder.decode(kMessageBytes, intake_)) {
      events += intake_.accepted + intake_.rejected;
      submit({}, 0, message_ - 1);  // the message is not all of it yet
      mark = {};
    }
    events += intake_.accepted + intake_.rejected;
    limit_rate(events - before, desk.sender.received_at);
    const debugger::FollowedRequest followed = follow(message, mark, desk.sender.received_at);
    if (followed || intake_.records.bytes.size() >= kPartBytes) submit(followed, mark.entries);
  }

  // Where a message begins among the records of those before it.
  struct Mark {
    size_t entries = 0;
    uint32_t rejected = 0;
  };
  debugger::FollowedRequest follow(std::string_view message, const Mark& mark, Instant now) {
    const bool wrong = intake_.rejected > mark.rejected;
    if (!wrong && !gateway_.debugger().recorder().anybody()) return {};
    arrival_.bytes = message.size();
    return gateway_.debugger().follow(
        {.source = *source_, .received_at = now, .arrival = &arrival_, .body = message},
        wrong ? debugger::Debugger::Outcome::kWentWrong : debugger::Debugger::Outcome::kGood);
  }

  const engine::Source* current_source(const IntakeRoom& room) {
    if (project_ != room.project) {
      project_ = room.project;
      source_ = claim_.find(gateway_, *project_);
    }
    return source_;
  }

  // `followed` is the last message, whose records begin at `first_entry`.
  void submit(const debugger::FollowedRequest& followed = {}, size_t first_entry = 0) {
    submit(followed, first_entry, message_);
  }
  void submit(const debugger::FollowedRequest& followed, size_t first_entry, uint64_t acked) {
    if (intake_.records.empty()) return followed.answered("nothing to do");
    parts_->submit(intake_, {.followed = followed, .first_entry = first_entry, .message = acked});
  }

  // What is beyond a source's limit waits at the client.
  void limit_rate(uint64_t events, Instant now) {
    gateway_.limits().charge(*source_, address_, events, now);
    if (const auto wait = gateway_.limits().refuses(*source_, address_, now)) {
      sink_->pause(Duration::seconds(*wait));
    }
  }

  Gateway& gateway_;
  SourceClaim claim_;
  std::string address_;
  debugger::Arrival arrival_;
  std::shared_ptr<LiveSink> sink_;
  std::shared_ptr<StreamParts> parts_;
  std::shared_ptr<const engine::Project> project_;
  const engine::Source* source_ = nullptr;  // of project_
  intake::Intake intake_;
  uint64_t message_ = 0;  // number of the last one
  bool closed_ = false;
};

// 401 and the like, before the connection is upgraded.
std::optional<Response> refuse(Gateway& gateway, const Request& request) {
  const SourceClaim claim = claim_of(gateway, request);
  return claim.refuse(gateway, request, claim.find(gateway, *gateway.engine().project()),
                      "send the write key of a source as the user name of Basic authorization, as a bearer "
                      "token, as `?writeKey=`, or as the subprotocol `kehu.key.KEY` beside `kehu.stream`");
}

RouteDoc stream_doc() {
  return {
      .summary = "WebSocket: events in, acks out",
      .text =
          "Each text or binary message is an event, an array of events, or lines, as POST /api/v1/events "
          "takes them, of up to 1 MiB. Many may be under way. Answers: {\"ack\": n, \"accepted\": …, "
          "\"repeats\": …, \"conflicts\": …, \"rejected\": …}: everything up to the n-th message is "
          "durable; the counts are those since the ack before. Subprotocol: kehu.stream, beside which "
          "browsers offer kehu.key.KEY. permessage-deflate is understood.",
      .group = "intake",
      .fields = {{FieldDoc::Where::kQuery, "writeKey", "string", "instead of an Authorization header", false},
                 {FieldDoc::Where::kQuery, "source", "string", "name of the source, for administrators",
                  false},
                 {FieldDoc::Where::kQuery, "access_token", "string", "the admin token", false}},
      .answers = {{101, "Switched to WebSocket", ""},
                  {400, "The handshake is not valid", "application/problem+json", "Problem"},
                  {401, "Unknown write key", "application/problem+json", "Problem"},
                  {404, "No source of this name", "application/problem+json", "Problem"},
                  {426, "No WebSocket, or another version", "application/problem+json", "Problem"},
                  {429, "The source sends more than it may", "application/problem+json", "Problem"}}};
}

}  // namespace

void add_stream_routes(Gateway& gateway, std::vector<Route>& routes) {
  routes.push_back({.pattern = std::string(kOrigin),
                    .access = Access::kWriteKey,
                    .protocol = Protocol::kStream,
                    .action = LiveUpgrade{
                        .open = [&gateway] { return std::make_unique<StreamChannel>(gateway); },
                        .refuse = [&gateway](const Request& request) { return refuse(gateway, request); },
                        .protocol = std::string(kStreamProtocol),
                        .message_bytes = kReceivedBytes},
                    .doc = stream_doc()});
}

}  // namespace kehu::gateway
