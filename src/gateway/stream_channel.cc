#include "gateway/stream_channel.h"

#include <mutex>

#include "base/text.h"
#include "debugger/debugger.h"
#include "gateway/intake_call.h"
#include "gateway/intake_summary.h"
#include "gateway/intake_thread.h"
#include "http/credentials.h"
#include "intake/bulk.h"
#include "json/writer.h"

namespace kehu::gateway {
namespace {

constexpr size_t kPartBytes = 256u << 10;
constexpr size_t kWaitingBytes = 1u << 20;
// Of what one message becomes in one submission.
constexpr size_t kMessageBytes = 2u << 20;
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

// What a client opened the stream with. Kept, because keys are revoked and sources disabled while it is open.
struct Sender {
  std::optional<std::string> write_key;
  std::string source_name = {};  // named by an administrator, who needs no key
  std::string address = {};

  static Sender of(const Gateway& gateway, const Request& request) {
    Sender sender{.write_key = write_key_of(request), .address = std::string(request.remote)};
    if (!sender.write_key) sender.write_key = key_of_protocols(request);
    if (!sender.write_key && gateway.admin(request)) {
      sender.source_name = request.query("source").value_or("default");
    }
    return sender;
  }

  const engine::Source* source(const Gateway& gateway, const engine::Project& project) const {
    return write_key ? gateway.source_of(project, *write_key) : project.find(source_name);
  }
};

// What connection thread and log thread share of one stream.
class Progress {
 public:
  explicit Progress(std::shared_ptr<LiveSink> sink) : sink_(std::move(sink)) {}

  void submitted(size_t bytes) {
    const std::lock_guard lock(mutex_);
    waiting_bytes_ += bytes;
    ++waiting_parts_;
    if (waiting_bytes_ < kWaitingBytes || holding_) return;
    holding_ = true;
    sink_->hold();
  }

  // Everything up to `message` is decoded, and handed in as far as it became records.
  void handed_in(uint64_t message) {
    const std::lock_guard lock(mutex_);
    handed_in_ = message;
    if (waiting_parts_ == 0 && !failed_) tell_acked(message);
  }

  // `part` is what decoding found.
  void done(const engine::Ack& ack, const IntakeSummary& part, size_t bytes, uint64_t message) {
    const std::lock_guard lock(mutex_);
    waiting_bytes_ -= bytes;
    --waiting_parts_;
    if (holding_ && !stopping_ && waiting_bytes_ <= kWaitingBytes / 2) {
      holding_ = false;
      sink_->go_on();
    }
    if (failed_) return;
    if (!ack.status.ok()) return fail(ack.status);
    summary_.add(part);
    summary_.add(ack);
    tell_acked(waiting_parts_ == 0 ? std::max(handed_in_, message) : message);
  }

  void refused(const absl::Status& status, size_t bytes) {
    const std::lock_guard lock(mutex_);
    waiting_bytes_ -= bytes;
    --waiting_parts_;
    if (!failed_) fail(status);
  }

  // On the connection's thread, when the client has taken the acks before.
  void send_ack() {
    const std::lock_guard lock(mutex_);
    if (acked_ > told_) {
      std::string text;
      json::Writer writer(text);
      writer.begin_object().field("ack", acked_);
      summary_.write(writer);
      writer.end_object();
      sink_->send(std::move(text));
      told_ = acked_;
      summary_ = {};
    }
    if (failed_) return close_failed();
    if (stopping_ && waiting_parts_ == 0) sink_->close(CloseCode::kGoingAway, "the server is stopping");
  }

  // True when nothing is left to be told.
  bool stop() {
    const std::lock_guard lock(mutex_);
    stopping_ = holding_ = true;
    sink_->hold();
    return waiting_parts_ == 0 && acked_ == told_;
  }

 private:
  void tell_acked(uint64_t message) {
    acked_ = message;
    sink_->ask_ready();
  }

  void fail(const absl::Status& status) {
    failed_ = true;
    failure_ = status;
    sink_->ask_ready();
  }

  void close_failed() {
    const bool full = failure_.code() == absl::StatusCode::kResourceExhausted;
    const Problem problem = log_problem(failure_);
    std::string text;
    json::Writer writer(text);
    writer.begin_object().field("error", problem.code).field("detail", problem.detail).end_object();
    sink_->send(std::move(text));
    const bool later = full || failure_.code() == absl::StatusCode::kUnavailable;
    sink_->close(later ? CloseCode::kTryAgainLater : CloseCode::kInternal,
                 "send again what has no ack, after a second");
  }

  std::mutex mutex_;
  const std::shared_ptr<LiveSink> sink_;
  size_t waiting_bytes_ = 0;
  int waiting_parts_ = 0;
  bool holding_ = false;
  bool stopping_ = false;
  bool failed_ = false;
  absl::Status failure_;
  uint64_t handed_in_ = 0, acked_ = 0, told_ = 0;  // numbers of messages
  IntakeSummary summary_;                          // since the ack before
};

// Of a thread: decoding keeps its buffers from message to message and from stream to stream.
struct Desk {
  intake::Context context;
  intake::BulkDecoder decoder{context};
};

class StreamChannel final : public LiveChannel {
 public:
  explicit StreamChannel(Gateway& gateway) : gateway_(gateway) {}

  void on_open(const Request& request, std::shared_ptr<LiveSink> sink) override {
    sender_ = Sender::of(gateway_, request);
    arrival_ = gateway_.debugger().arrival_of(request);
    arrival_.method = "MESSAGE";
    sink_ = std::move(sink);
    progress_ = std::make_shared<Progress>(sink_);
  }

  void on_text(std::string_view text) override { take(text); }
  bool on_binary(std::string_view bytes) override {
    take(bytes);
    return true;
  }
  void on_burst_end() override {
    submit();
    progress_->handed_in(message_);
  }
  void on_ready() override { progress_->send_ack(); }
  void on_close(CloseCode) override {}
  bool on_stop() override { return progress_->stop(); }

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
    desk.context = {.policy = &room.policy,
                    .door = &room.door,
                    .project = engine::Project::kDefault,
                    .source = source->id,
                    .default_channel = source->channel,
                    .received_at = gateway_.engine().clock().now(),
                    .remote_ip = sender_.address,
                    .origin = kOrigin};
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
    limit_rate(events - before, desk.context.received_at);
    const debugger::FollowedRequest followed = follow(message, mark, desk.context.received_at);
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
      source_ = sender_.source(gateway_, *project_);
    }
    return source_;
  }

  // `followed` is the last message, whose records begin at `first_entry`.
  void submit(const debugger::FollowedRequest& followed = {}, size_t first_entry = 0) {
    submit(followed, first_entry, message_);
  }
  void submit(const debugger::FollowedRequest& followed, size_t first_entry, uint64_t acked) {
    if (intake_.records.empty()) return followed.answered("nothing to do");
    if (intake_.times_ahead > 0) gateway_.times_ahead() += intake_.times_ahead;
    const size_t bytes = intake_.records.bytes.size();
    const size_t part = followed.add_part(intake_.records, first_entry);
    progress_->submitted(bytes);
    IntakeSummary found;
    found.add(intake_);
    engine::Submission submission{
        .batch = std::move(intake_.records),
        .data_keys = std::move(intake_.new_key_ids),
        .tell_fates = static_cast<bool>(followed),
        .done = [progress = progress_, followed, part, found, bytes,
                 message = acked](const engine::Ack& ack) {
          followed.logged(part, ack);
          followed.answered(ack.status.ok() ? cat("ack ", message) : std::string("the stream is closed"));
          progress->done(ack, found, bytes, message);
        }};
    intake_ = {};
    if (auto status = gateway_.engine().submit(std::move(submission)); !status.ok()) {
      followed.logged(part, {.status = status});
      followed.answered("the stream is closed");
      progress_->refused(status, bytes);
    }
  }

  // What is beyond a source's limit waits at the client.
  void limit_rate(uint64_t events, Instant now) {
    gateway_.limits().charge(*source_, sender_.address, events, now);
    if (const auto wait = gateway_.limits().refuses(*source_, sender_.address, now)) {
      sink_->pause(Duration::seconds(*wait));
    }
  }

  Gateway& gateway_;
  Sender sender_;
  debugger::Arrival arrival_;
  std::shared_ptr<LiveSink> sink_;
  std::shared_ptr<Progress> progress_;
  std::shared_ptr<const engine::Project> project_;
  const engine::Source* source_ = nullptr;  // of project_
  intake::Intake intake_;
  uint64_t message_ = 0;  // number of the last one
  bool closed_ = false;
};

}  // namespace

std::unique_ptr<LiveChannel> open_stream(Gateway& gateway) {
  return std::make_unique<StreamChannel>(gateway);
}

std::optional<Response> refuse_stream(Gateway& gateway, const Request& request) {
  const Sender sender = Sender::of(gateway, request);
  const auto project = gateway.engine().project();
  const engine::Source* source = sender.source(gateway, *project);
  if (source == nullptr && !sender.source_name.empty()) {
    return to_response(Problem::not_found("there is no source of this name: GET /api/v1/sources lists them"));
  }
  if (source == nullptr) {
    gateway.strangers().note(request, 401, *project->settings(), gateway.engine().clock().now());
    return to_response(Problem::unauthorized(
        "send the write key of a source as the user name of Basic authorization, as a bearer token, as "
        "`?writeKey=`, or as the subprotocol `kehu.key.KEY` beside `kehu.stream`"));
  }
  return refuse_beyond_limit(
      gateway, {.source = *source, .received_at = gateway.engine().clock().now(), .request = &request});
}

}  // namespace kehu::gateway
