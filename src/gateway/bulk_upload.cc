#include "gateway/bulk_upload.h"

#include <mutex>
#include <optional>

#include "base/limits.h"
#include "base/text.h"
#include "coding/inflate.h"
#include "debugger/debugger.h"
#include "gateway/intake_call.h"
#include "gateway/intake_summary.h"
#include "gateway/intake_thread.h"
#include "http/content_coding.h"
#include "http/credentials.h"
#include "http/problem.h"
#include "intake/bulk.h"
#include "json/writer.h"

namespace kehu::gateway {
namespace {

constexpr size_t kPartBytes = 256u << 10;
constexpr int kPartsWaiting = 4;
constexpr std::string_view kPath = "/api/v1/events";
// Of a body that the debugger shows; a little more than it will.
constexpr size_t kSeenBytes = 20u << 10;

// What connection thread and log thread share of one upload. Lives until the last part is answered.
class Progress {
 public:
  Progress(Responder responder, debugger::FollowedRequest followed)
      : responder_(std::move(responder)), followed_(std::move(followed)) {}

  // From now on; before the parts that it is about are submitted. Those under way are not among them.
  void follow(debugger::FollowedRequest followed) {
    const std::lock_guard lock(mutex_);
    followed_ = std::move(followed);
  }

  // The body will not come to its end, and nobody waits for an answer.
  void abandon() {
    const std::lock_guard lock(mutex_);
    if (!responder_.answered()) followed_.answered("none of ours: the body did not come to its end");
  }

  // One more part is on its way. `more` is used at once, or when fewer parts wait.
  void part_submitted(const intake::Intake& part, std::optional<ReadMore> more) {
    const std::lock_guard lock(mutex_);
    summary_.add(part);
    if (++waiting_ >= kPartsWaiting && more) held_.emplace(*std::move(more));
  }

  void part_done(const engine::Ack& ack) {
    const std::lock_guard lock(mutex_);
    --waiting_;
    held_.reset();  // goes on reading
    if (!ack.status.ok()) fail(ack.status);
    summary_.add(ack);
    answer_if_complete();
  }

  void refused(const absl::Status& status) {
    const std::lock_guard lock(mutex_);
    --waiting_;
    held_.reset();
    fail(status);
    answer_if_complete();
  }

  void end() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    answer_if_complete();
  }

  void stop(const absl::Status& status) {
    const std::lock_guard lock(mutex_);
    fail(status);
    answer_if_complete();
  }

 private:
  void fail(const absl::Status& status) {
    if (failure_.ok()) failure_ = status;
    ended_ = true;
  }

  void answer_if_complete() {
    if (!ended_ || waiting_ > 0 || responder_.answered()) return;
    if (!failure_.ok()) {
      Problem problem = log_problem(failure_);
      problem.detail = cat(problem.detail, "; ", summary_.accepted(),
                           " events before it are stored. Sent again, events with a ",
                           "message id or a time of their own are recognised; others would count twice");
      return send(to_response(problem));
    }
    std::string body;
    json::Writer writer(body);
    writer.begin_object();
    summary_.write(writer);
    writer.end_object();
    send(Response::json(std::move(body)));
  }

  void send(Response response) {
    followed_.answered(response);
    responder_.send(std::move(response));
  }

  std::mutex mutex_;
  Responder responder_;
  debugger::FollowedRequest followed_;
  std::optional<ReadMore> held_;
  int waiting_ = 0;
  bool ended_ = false;
  absl::Status failure_;
  IntakeSummary summary_;
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

class BulkUpload final : public BodySink {
 public:
  struct Sender {
    std::shared_ptr<IntakeRoom> room;  // of the connection's thread
    const engine::Source& source;      // of the room's project
    std::string address;
    bool compressed = false;
    trace::Link trace = {};
  };
  BulkUpload(Gateway& gateway, Sender sender, intake::Context context, debugger::FollowedRequest followed,
             Responder responder)
      : gateway_(gateway),
        sender_(std::move(sender)),
        context_(context),
        decoder_(context_, sender_.room->bulk),
        followed_(std::move(followed)),
        seen_whole_(followed_),
        progress_(std::make_shared<Progress>(std::move(responder), followed_)) {}
  ~BulkUpload() override {
    if (ended_) return;
    show_body(failure(absl::StatusCode::kCancelled,
                      "the body did not come to its end: the client went away, or it is larger than ",
                      limits::kBulkBodyBytes, " bytes"));
    progress_->abandon();
  }

  void on_chunk(std::string_view chunk, ReadMore more) override {
    const bool packed = sender_.compressed || coding::is_gzip(chunk);
    if (first_ && packed)
      inflater_.emplace(coding::InflateLimits{limits::kBulkBodyBytes}, coding::packing_of(chunk));
    first_ = false;
    if (inflater_) {
      const absl::Status status = inflater_->feed(chunk, [this](std::string_view plain) { feed(plain); });
      if (!status.ok()) return stop(unreadable(status));
    } else {
      feed(chunk);
    }
    if (!intake_.records.empty()) submit(std::move(more));
  }

  void on_end() override {
    if (sender_.compressed && first_) inflater_.emplace(limits::kBulkBodyBytes);
    if (inflater_) {
      if (const absl::Status status = inflater_->finish(); !status.ok()) return stop(unreadable(status));
    }
    ended_ = true;
    show_body(absl::OkStatus());
    decoder_.end();
    while (decoder_.decode(kPartBytes, intake_)) submit({});
    if (!intake_.records.empty()) submit({});
    progress_->end();
  }

 private:
  void feed(std::string_view plain) {
    if (seen_whole_) see(plain);
    decoder_.begin(plain);
    while (decoder_.decode(kPartBytes, intake_)) submit({});
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
    progress_->stop(status);
  }

  // What stood in the header of the request is gone by now.
  void follow_wrong() {
    if (followed_) return;
    const debugger::Arrival arrival{
        .protocol = "events", .method = "POST", .path = std::string(kPath), .remote = sender_.address};
    followed_ = gateway_.debugger().follow(
        {.source = sender_.source, .received_at = context_.received_at, .arrival = &arrival},
        debugger::Debugger::Outcome::kWentWrong);
    progress_->follow(followed_);
  }

  void submit(std::optional<ReadMore> more) {
    if (intake_.rejected > 0) follow_wrong();
    if (intake_.times_ahead > 0) gateway_.times_ahead() += intake_.times_ahead;
    gateway_.limits().charge(sender_.source, sender_.address, intake_.accepted + intake_.rejected,
                             gateway_.engine().clock().now());
    progress_->part_submitted(intake_, std::move(more));
    const size_t part = followed_.add_part(intake_.records);
    engine::Submission submission{
        .batch = std::move(intake_.records),
        .data_keys = std::move(intake_.new_key_ids),
        .tell_fates = static_cast<bool>(followed_),
        .done =
            [progress = progress_, followed = followed_, part](const engine::Ack& ack) {
              followed.logged(part, ack);
              progress->part_done(ack);
            },
        .waiting = sender_.trace.child("wait for the log")};
    intake_ = {};
    if (auto status = gateway_.engine().submit(std::move(submission)); !status.ok()) {
      followed_.logged(part, {.status = status});
      progress_->refused(status);
    }
  }

  Gateway& gateway_;
  Sender sender_;
  intake::Context context_;
  intake::BulkDecoder decoder_;
  intake::Intake intake_;
  std::optional<coding::Inflater> inflater_;
  bool first_ = true;
  bool ended_ = false;
  debugger::FollowedRequest followed_;
  const bool seen_whole_;  // it was followed from the start
  std::string seen_;       // the body's beginning, unpacked
  size_t unpacked_bytes_ = 0;
  std::shared_ptr<Progress> progress_;
};

}  // namespace

std::unique_ptr<BodySink> open_bulk_upload(Gateway& gateway, const Request& request, Responder responder) {
  auto room = shared_intake_room(gateway);
  const auto write_key = write_key_of(request);
  const engine::Source* source = gateway.source_of(*room->project, write_key.value_or(""));
  // An administrator may name the source instead of knowing its key.
  if (!write_key && gateway.admin(request)) {
    source = room->project->find(request.query("source").value_or("default"));
  }
  if (source == nullptr && !write_key && gateway.admin(request)) {
    responder.send(
        to_response(Problem::not_found("there is no source of this name: GET /api/v1/sources lists them")));
    return nullptr;
  }
  if (source == nullptr) {
    gateway.strangers().note(request, 401, *room->project->settings(), gateway.engine().clock().now());
    responder.send(to_response(Problem::unauthorized(
        "send the write key of a source as the user name of Basic authorization, or `?writeKey=`")));
    return nullptr;
  }
  const Instant now = gateway.engine().clock().now();
  const debugger::Sighting sighting{.source = *source, .received_at = now, .request = &request};
  if (auto refusal = refuse_beyond_limit(gateway, sighting)) {
    responder.send(*std::move(refusal));
    return nullptr;
  }
  intake::Context context = intake_context(*room, *source, request, now, kPath);
  context.remote_ip = {};  // lives only as long as the request
  return std::make_unique<BulkUpload>(
      gateway,
      BulkUpload::Sender{std::move(room), *source, std::string(request.remote), says_compressed(request),
                         request.trace},
      context, gateway.debugger().follow(sighting), std::move(responder));
}

void add_bulk_routes(Gateway& gateway, std::vector<Route>& routes) {
  routes.push_back({.method = Method::kPost,
                    .pattern = std::string(kPath),
                    .access = Access::kWriteKey,
                    .action = StreamedBody{limits::kBulkBodyBytes,
                                           [&gateway](const Request& request, Responder responder) {
                                             return open_bulk_upload(gateway, request, std::move(responder));
                                           }},
                    .doc = bulk_doc()});
}

}  // namespace kehu::gateway
