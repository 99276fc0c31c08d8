#include <memory>
#include <optional>

#include "base/limits.h"
#include "base/text.h"
#include "coding/inflate.h"
#include "debugger/debugger.h"
#include "gateway/gateway.h"
#include "gateway/intake_call.h"
#include "gateway/intake_thread.h"
#include "gateway/log_parts.h"
#include "gateway/source_claim.h"
#include "http/content_coding.h"
#include "http/problem.h"
#include "http/responder.h"
#include "intake/bulk.h"
#include "json/writer.h"

namespace kehu::gateway {
namespace {

constexpr size_t kPartBytes = 256u << 10;
constexpr size_t kPartsWaiting = 4;
constexpr std::string_view kPath = "/api/v1/events";
// So much is kept of a body for the debugger, a little more than it will show.
constexpr size_t kSeenBytes = 20u << 10;

// The parts of one upload: one answer to all of them.
class UploadParts final : public LogParts {
 public:
  UploadParts(Gateway& gateway, Responder responder, debugger::FollowedRequest followed)
      : LogParts(gateway, {.parts = kPartsWaiting}),
        responder_(std::move(responder)),
        followed_(std::move(followed)) {}

  // From now on the answer is shown by `followed`.
  void follow(debugger::FollowedRequest followed) {
    const std::lock_guard lock(mutex());
    followed_ = std::move(followed);
  }

  // The body will not come to its end, and nobody waits for an answer.
  void abandon() {
    const std::lock_guard lock(mutex());
    if (!completed()) followed_.answered("none of ours: the body did not come to its end");
  }

  // The next chunk may come, at once or when fewer parts wait.
  void read_on(ReadMore more) {
    const std::lock_guard lock(mutex());
    if (holds()) held_.emplace(std::move(more));
  }

 private:
  void go_on() override { held_.reset(); }

  void settle(const Sent& sent, const engine::Ack& ack) override {
    LogParts::settle(sent, ack);
    if (!failure().ok()) cease();
  }

  void complete() override {
    Response response = failure().ok() ? Response::json(summary_text()) : to_response(problem());
    followed_.answered(response);
    responder_.send(std::move(response));
  }

  Problem problem() {
    Problem problem = log_problem(failure());
    problem.detail = cat(problem.detail, "; ", summary().accepted(),
                         " events before it are stored. Sent again, events with a ",
                         "message id or a time of their own are recognised; others would count twice");
    return problem;
  }

  std::string summary_text() {
    std::string body;
    json::Writer writer(body);
    writer.begin_object();
    summary().write(writer);
    writer.end_object();
    return body;
  }

  Responder responder_;
  debugger::FollowedRequest followed_;
  std::optional<ReadMore> held_;
};

// What does not unpack, or unpacks to too much, will not do so the next time either.
absl::Status unreadable(const absl::Status& status) {
  return failure(absl::StatusCode::kInvalidArgument, message_of(status));
}

RouteDoc bulk_doc() {
  return {.summary = "Events as NDJSON or a JSON array, up to 100 MB, streamed",
          .text =
              "Each line or element is an event: {\"event\", \"user_id\" (or any identifier type), \"time\", "
              "\"message_id\", \"properties\", \"traits\", \"context\", \"channel\"}. A broken one is kept "
              "in quarantine and the rest goes on.",
          .group = "intake",
          .fields = {{FieldDoc::Where::kQuery, "writeKey", "string", "instead of Basic authorization", false},
                     {FieldDoc::Where::kQuery, "source", "string", "name of the source, for administrators",
                      false}},
          .body_content_type = "application/x-ndjson",
          .body_schema = "Event",
          .answers = {
              {200, "All parts are durable", "application/json", "UploadSummary"},
              {400, "The body cannot be decompressed", "application/problem+json", "Problem"},
              {401, "Unknown write key", "application/problem+json", "Problem"},
              {415, "Compressed otherwise than by gzip or deflate", "application/problem+json", "Problem"},
              {413, "Larger than 100 MB", "application/problem+json", "Problem"},
              {429, "The source sends more than it may; Retry-After says how long",
               "application/problem+json", "Problem"},
              {503, "The log cannot take more now", "application/problem+json", "Problem"}}};
}

// POST /api/v1/events: decodes the body as it comes and submits it in parts, at most a few of which wait for
// the log at a time. Answers when every part is durable: {"accepted", "repeats", "conflicts", "rejected"}.
class BulkUpload final : public BodySink {
 public:
  // What is kept of a request whose body comes piece by piece.
  struct Opened {
    std::shared_ptr<IntakeRoom> room;  // of the connection's thread
    const engine::Source& source;      // of the room's project
    std::string address;
    bool compressed = false;
    trace::Link trace = {};
  };
  BulkUpload(Gateway& gateway, Opened opened, const intake::Sender& sender,
             debugger::FollowedRequest followed, Responder responder)
      : gateway_(gateway),
        opened_(std::move(opened)),
        sender_(sender),
        decoder_(sender_, opened_.room->bulk),
        followed_(std::move(followed)),
        seen_whole_(followed_),
        parts_(std::make_shared<UploadParts>(gateway, std::move(responder), followed_)) {}
  ~BulkUpload() override {
    if (ended_) return;
    show_body(failure(absl::StatusCode::kCancelled,
                      "the body did not come to its end: the client went away, or it is larger than ",
                      limits::kBulkBodyBytes, " bytes"));
    parts_->abandon();
  }

  // A chunk becomes parts before the next is asked for, so an upload takes the memory of a few parts,
  // however large it is. Whether it is packed is seen by its first bytes.
  void on_chunk(std::string_view chunk, ReadMore more) override {
    const bool packed = opened_.compressed || coding::is_gzip(chunk);
    if (first_ && packed)
      inflater_.emplace(coding::InflateLimits{limits::kBulkBodyBytes}, coding::packing_of(chunk));
    first_ = false;
    if (inflater_) {
      const absl::Status status = inflater_->feed(chunk, [this](std::string_view plain) { feed(plain); });
      if (!status.ok()) return stop(unreadable(status));
    } else {
      feed(chunk);
    }
    if (!intake_.records.empty()) submit();
    parts_->read_on(std::move(more));
  }

  void on_end() override {
    if (opened_.compressed && first_) inflater_.emplace(limits::kBulkBodyBytes);
    if (inflater_) {
      if (const absl::Status status = inflater_->finish(); !status.ok()) return stop(unreadable(status));
    }
    ended_ = true;
    show_body(absl::OkStatus());
    decoder_.end();
    while (decoder_.decode(kPartBytes, intake_)) submit();
    if (!intake_.records.empty()) submit();
    parts_->end();
  }

 private:
  void feed(std::string_view plain) {
    if (seen_whole_) see(plain);
    decoder_.begin(plain);
    while (decoder_.decode(kPartBytes, intake_)) submit();
  }

  void see(std::string_view plain) {
    unpacked_bytes_ += plain.size();
    if (seen_.size() < kSeenBytes) seen_.append(plain.substr(0, kSeenBytes - seen_.size()));
  }

  void show_body(const absl::Status& status) {
    if (seen_whole_) followed_.set_body({.shown = seen_, .unpacked_bytes = unpacked_bytes_}, status);
  }

  void stop(const absl::Status& status) {
    if (ended_) return;
    ended_ = true;
    follow_wrong();
    show_body(status);
    parts_->fail(status);
  }

  // What stood in the header of the request is gone by now.
  void follow_wrong() {
    if (followed_) return;
    const debugger::Arrival arrival{.protocol = std::string(to_string(Protocol::kEvents)),
                                    .method = "POST",
                                    .path = std::string(kPath),
                                    .remote = opened_.address};
    followed_ = gateway_.debugger().follow(
        {.source = opened_.source, .received_at = sender_.received_at, .arrival = &arrival},
        debugger::Debugger::Outcome::kWentWrong);
    parts_->follow(followed_);
  }

  void submit() {
    if (intake_.rejected > 0) follow_wrong();
    gateway_.limits().charge(opened_.source, opened_.address, intake_.accepted + intake_.rejected,
                             gateway_.engine().clock().now());
    parts_->submit(intake_, {.followed = followed_, .waiting = opened_.trace.child("wait for the log")});
  }

  Gateway& gateway_;
  Opened opened_;
  intake::Sender sender_;
  intake::BulkDecoder decoder_;
  intake::Intake intake_;
  std::optional<coding::Inflater> inflater_;
  bool first_ = true;
  bool ended_ = false;
  debugger::FollowedRequest followed_;
  const bool seen_whole_;  // it was followed from the start
  std::string seen_;       // the body's beginning, unpacked
  size_t unpacked_bytes_ = 0;
  std::shared_ptr<UploadParts> parts_;
};

// nullptr when the request is refused; it is answered then.
std::unique_ptr<BodySink> open_upload(Gateway& gateway, const Request& request, Responder responder) {
  auto room = shared_intake_room(gateway);
  const SourceClaim claim = SourceClaim::of(gateway, request);
  const engine::Source* source = claim.find(gateway, *room->project);
  auto refusal =
      claim.refuse(gateway, request, source,
                   "send the write key of a source as the user name of Basic authorization, or `?writeKey=`");
  if (refusal) {
    responder.send(*std::move(refusal));
    return nullptr;
  }
  const Instant now = gateway.engine().clock().now();
  intake::Sender sender = sender_of(*room, *source, request, now);
  sender.remote_ip = sender.user_agent = {};  // live only as long as the request
  return std::make_unique<BulkUpload>(
      gateway,
      BulkUpload::Opened{std::move(room), *source, std::string(request.remote), says_compressed(request),
                         request.trace},
      sender, gateway.debugger().follow({.source = *source, .received_at = now, .request = &request}),
      std::move(responder));
}

}  // namespace

void add_bulk_routes(Gateway& gateway, std::vector<Route>& routes) {
  routes.push_back({.method = Method::kPost,
                    .pattern = std::string(kPath),
                    .access = Access::kWriteKey,
                    .action = StreamedBody{limits::kBulkBodyBytes,
                                           [&gateway](const Request& request, Responder responder) {
                                             return open_upload(gateway, request, std::move(responder));
                                           }},
                    .doc = bulk_doc()});
}

}  // namespace kehu::gateway
