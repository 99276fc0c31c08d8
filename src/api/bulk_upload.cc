#include "api/bulk_upload.h"

#include <array>
#include <mutex>
#include <optional>

#include "api/content_coding.h"
#include "api/debugger.h"
#include "api/intake_call.h"
#include "api/intake_thread.h"
#include "api/problem.h"
#include "base/limits.h"
#include "base/text.h"
#include "intake/bulk.h"
#include "intake/inflate.h"
#include "json/writer.h"

namespace kehu::api {
namespace {

constexpr size_t kPartBytes = 256u << 10;
constexpr int kPartsWaiting = 4;
constexpr std::string_view kPath = "/api/v1/events";
// Of a body that the debugger shows; a little more than it will.
constexpr size_t kSeenBytes = 20u << 10;

// What connection thread and log thread share of one upload. Lives until the last part is answered.
class Progress {
 public:
  Progress(Responder responder, FollowedRequest followed)
      : responder_(std::move(responder)), followed_(std::move(followed)) {}

  // From now on; before the parts that it is about are submitted. Those under way are not among them.
  void follow(FollowedRequest followed) {
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
    for (size_t i = 0; i < found_.size(); ++i) found_[i] += part.rejected_by_reason[i];
    if (++waiting_ >= kPartsWaiting && more) held_.emplace(*std::move(more));
  }

  void part_done(const engine::Ack& ack) {
    const std::lock_guard lock(mutex_);
    --waiting_;
    held_.reset();  // goes on reading
    if (!ack.status.ok()) fail(ack.status);
    accepted_ += ack.events;
    repeats_ += ack.repeats;
    conflicts_ += ack.conflicts;
    rejected_ += ack.rejections;
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
      Problem problem = problem_of(failure_);
      problem.detail =
          cat(problem.detail, "; ", accepted_, " events before it are stored. Sent again, events with a ",
              "message id or a time of their own are recognised; others would count twice");
      return send(to_response(problem));
    }
    std::string body;
    json::Writer writer(body);
    writer.begin_object().field("accepted", accepted_).field("repeats", repeats_);
    writer.field("conflicts", conflicts_).field("rejected", rejected_);
    write_reasons(writer);
    writer.end_object();
    send(Response::json(std::move(body)));
  }

  void send(Response response) {
    followed_.answered(response);
    responder_.send(std::move(response));
  }

  void write_reasons(json::Writer& writer) const {
    bool any = false;
    for (size_t i = 1; i < found_.size(); ++i) {
      if (found_[i] == 0) continue;
      if (!any) writer.key("rejected_by_reason").begin_object();
      any = true;
      writer.field(to_string(static_cast<Reason>(i)), found_[i]);
    }
    if (any) writer.end_object();
  }

  std::mutex mutex_;
  Responder responder_;
  FollowedRequest followed_;
  std::optional<ReadMore> held_;
  int waiting_ = 0;
  bool ended_ = false;
  absl::Status failure_;
  uint64_t accepted_ = 0, repeats_ = 0, conflicts_ = 0, rejected_ = 0;
  std::array<uint64_t, kReasonCount> found_{};  // by Reason, those that are known already included
};

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
  BulkUpload(App& app, Sender sender, intake::Context context, FollowedRequest followed, Responder responder)
      : app_(app),
        sender_(std::move(sender)),
        context_(context),
        decoder_(context_, sender_.room->bulk),
        followed_(std::move(followed)),
        seen_whole_(followed_),
        progress_(std::make_shared<Progress>(std::move(responder), followed_)) {
    if (sender_.compressed) inflater_.emplace(limits::kBulkBodyBytes);
  }
  ~BulkUpload() override {
    if (ended_) return;
    show_body(failure(absl::StatusCode::kCancelled,
                      "the body did not come to its end: the client went away, or it is larger than ",
                      limits::kBulkBodyBytes, " bytes"));
    progress_->abandon();
  }

  void on_chunk(std::string_view chunk, ReadMore more) override {
    if (first_ && !inflater_ && intake::is_gzip(chunk)) inflater_.emplace(limits::kBulkBodyBytes);
    first_ = false;
    if (inflater_) {
      const absl::Status status = inflater_->feed(chunk, [this](std::string_view plain) { feed(plain); });
      if (!status.ok()) return stop(status);
    } else {
      feed(chunk);
    }
    if (!intake_.records.empty()) submit(std::move(more));
  }

  void on_end() override {
    if (inflater_) {
      if (const absl::Status status = inflater_->finish(); !status.ok()) return stop(status);
    }
    ended_ = true;
    show_body(absl::OkStatus());
    decoder_.finish(intake_);
    if (!intake_.records.empty()) submit({});
    progress_->end();
  }

 private:
  void feed(std::string_view plain) {
    if (seen_whole_) see(plain);
    decoder_.feed(plain, intake_);
    if (intake_.records.bytes.size() >= kPartBytes) submit({});
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
    followed_ = app_.debugger().follow(
        {.source = sender_.source, .received_at = context_.received_at, .arrival = &arrival},
        Debugger::Outcome::kWentWrong);
    progress_->follow(followed_);
  }

  void submit(std::optional<ReadMore> more) {
    if (intake_.rejected > 0) follow_wrong();
    app_.limits().charge(sender_.source, sender_.address, intake_.accepted + intake_.rejected,
                         app_.engine().clock().now());
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
    if (auto status = app_.engine().submit(std::move(submission)); !status.ok()) {
      followed_.logged(part, {.status = status});
      progress_->refused(status);
    }
  }

  App& app_;
  Sender sender_;
  intake::Context context_;
  intake::BulkDecoder decoder_;
  intake::Intake intake_;
  std::optional<intake::Inflater> inflater_;
  bool first_ = true;
  bool ended_ = false;
  FollowedRequest followed_;
  const bool seen_whole_;  // it was followed from the start
  std::string seen_;       // the body's beginning, unpacked
  size_t unpacked_bytes_ = 0;
  std::shared_ptr<Progress> progress_;
};

}  // namespace

std::unique_ptr<BodySink> open_bulk_upload(App& app, const Request& request, Responder responder) {
  auto room = shared_intake_room(app);
  const auto write_key = write_key_of(request);
  const engine::Source* source = app.source_of(*room->project, write_key.value_or(""));
  // An administrator may name the source instead of knowing its key.
  if (!write_key && app.admin(request)) {
    source = room->project->find(request.query("source").value_or("default"));
  }
  if (source == nullptr && !write_key && app.admin(request)) {
    responder.send(
        to_response(Problem::not_found("there is no source of this name: GET /api/v1/sources lists them")));
    return nullptr;
  }
  if (source == nullptr) {
    responder.send(to_response(Problem::unauthorized(
        "send the write key of a source as the user name of Basic authorization, or `?writeKey=`")));
    return nullptr;
  }
  const Instant now = app.engine().clock().now();
  const Sighting sighting{.source = *source, .received_at = now, .request = &request};
  if (const auto wait = app.limits().refuses(*source, request.remote, now)) {
    const Problem problem = rate_limited(*source, {.status = 429, .retry_after_s = *wait});
    Response response = to_response(problem);
    app.debugger().refused(sighting, {.stage = Stage::kRateLimit, .why = problem.detail}, response);
    responder.send(std::move(response));
    return nullptr;
  }
  intake::Context context = intake_context(*room, *source, request, now, kPath);
  context.remote_ip = {};  // lives only as long as the request
  return std::make_unique<BulkUpload>(
      app,
      BulkUpload::Sender{std::move(room), *source, std::string(request.remote), says_compressed(request),
                         request.trace},
      context, app.debugger().follow(sighting), std::move(responder));
}

void add_bulk_routes(App& app, std::vector<Route>& routes) {
  routes.push_back({.method = Method::kPost,
                    .pattern = std::string(kPath),
                    .access = Access::kWriteKey,
                    .action = StreamedBody{limits::kBulkBodyBytes,
                                           [&app](const Request& request, Responder responder) {
                                             return open_bulk_upload(app, request, std::move(responder));
                                           }},
                    .doc = bulk_doc()});
}

}  // namespace kehu::api
