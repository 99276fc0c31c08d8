#include "gateway/intake_call.h"

#include "base/text.h"
#include "coding/inflate.h"
#include "gateway/log_parts.h"
#include "http/content_coding.h"
#include "http/credentials.h"

namespace kehu::gateway {
namespace {

Problem busy(const absl::Status& status, int busy_status) {
  const bool full = status.code() == absl::StatusCode::kResourceExhausted;
  Problem problem = log_problem(status);
  if (full) problem.status = busy_status;
  problem.retry_after_s = 1;
  return problem;
}

constexpr std::string_view kPixel(
    "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00"
    "\x01\x00\x01\x00\x00\x02\x02"
    "D\x01\x00;",
    43);

// Segment's own words for how long.
Response segment_refused(const Problem& problem) {
  Response response = to_response(problem);
  if (problem.status == 429) response.with("X-RateLimit-Reset", std::to_string(problem.retry_after_s));
  return response;
}

Response segment_accepted(const IntakeSummary&) {
  return Response::fixed("application/json", R"({"success":true})");
}

// The parts of one call: one answer to all of them.
class CallParts final : public LogParts {
 public:
  CallParts(Gateway& gateway, Responder responder, const Voice& voice, std::optional<Response> answer,
            debugger::FollowedRequest followed)
      : LogParts(gateway, {}),
        responder_(std::move(responder)),
        voice_(voice),
        answer_(std::move(answer)),
        followed_(std::move(followed)) {}

 private:
  void complete() override {
    Response response = !failure().ok() ? voice_.refused(busy(failure(), voice_.busy_status))
                        : answer_       ? *std::move(answer_)
                                        : voice_.accepted(summary());
    followed_.answered(response);
    responder_.send(std::move(response));
  }

  Responder responder_;
  const Voice& voice_;
  std::optional<Response> answer_;
  const debugger::FollowedRequest followed_;
};

}  // namespace

Problem log_problem(const absl::Status& status) {
  Problem problem = problem_of(status);
  const bool ours = status.code() != absl::StatusCode::kResourceExhausted && problem.status >= 500;
  if (ours)
    problem.detail =
        "the log cannot be written now; why, the server's log says to its operator: send again later";
  return problem;
}

const Voice& segment_voice() {
  static constexpr Voice kVoice{.accepted = segment_accepted, .refused = segment_refused};
  return kVoice;
}

Response pixel() { return std::move(Response::fixed("image/gif", kPixel).with("Cache-Control", "no-store")); }

// A body of gzip is known by its first bytes; deflate may have none that are sure, so it must be said by
// the header. What is said to be packed, shows no packing and cannot be unpacked is taken as it stands:
// something on its way has unpacked it and left the header.
absl::StatusOr<std::string_view> plain_body(const Request& request, size_t bytes_max, std::string& inflated) {
  const bool gzip = coding::is_gzip(request.body);
  if (!gzip && !says_compressed(request)) return request.body;
  const coding::Packing packing = coding::packing_of(request.body);
  auto plain = coding::inflate_body(request.body, bytes_max, packing);
  const bool raw = packing == coding::Packing::kRawDeflate;
  if (!plain.ok() && raw && plain.status().code() == absl::StatusCode::kInvalidArgument) return request.body;
  if (!plain.ok()) return plain.status();
  inflated = *std::move(plain);
  return std::string_view(inflated);
}

std::string_view without_deflate(const Request& request, size_t bytes_max, std::string& inflated) {
  if (coding::is_gzip(request.body) || !says_compressed(request)) return request.body;
  return plain_body(request, bytes_max, inflated).value_or(request.body);
}

Problem rate_limited(const engine::Source& source, const Wait& wait) {
  return {.status = wait.status,
          .code = "rate_limited",
          .title = "The source sends more than it may",
          .detail = cat("source \"", source.name, "\" may send ", source.events_per_second,
                        " events a second, and ", source.events_per_second_per_address,
                        " from one address (0: no limit); send again after ", wait.retry_after_s, " s"),
          .retry_after_s = wait.retry_after_s};
}

Problem unknown_key() {
  return Problem::unauthorized(
      "the write key is missing or unknown: send it as the user name of Basic authorization or as "
      "`writeKey`");
}

std::optional<Response> refuse_beyond_limit(Gateway& gateway, const debugger::Sighting& seen,
                                            const Voice& voice) {
  const auto wait = gateway.limits().refuses(seen.source, seen.request->remote, seen.received_at);
  if (!wait) return std::nullopt;
  const Problem problem =
      voice.rate_limited(seen.source, {.status = voice.busy_status, .retry_after_s = *wait});
  Response response = voice.refused(problem);
  gateway.debugger().refused(seen, {.stage = debugger::Stage::kRateLimit, .why = problem.detail}, response);
  return response;
}

debugger::Sighting IntakeCall::sighting() const {
  return {.source = *source_, .received_at = now_, .request = &request_, .body = body_};
}

bool IntakeCall::refuse(const Problem& problem) {
  Response response = voice_.refused(problem);
  if (source_ != nullptr) {
    gateway_.debugger().refused(sighting(), {.stage = stage_, .why = problem.detail}, response);
  }
  responder_.send(std::move(response));
  return false;
}

bool IntakeCall::use(const engine::Source* source) {
  source_ = source;
  if (source != nullptr) {
    auto refusal = refuse_beyond_limit(gateway_, sighting(), voice_);
    if (refusal) responder_.send(*std::move(refusal));
    return !responder_.answered();
  }
  Response response = voice_.refused(voice_.unknown_key());
  gateway_.strangers().note(request_, response.status, *room_.project->settings(), now_);
  responder_.send(std::move(response));
  return false;
}

bool IntakeCall::find_source() {
  const auto key = write_key_of(request_);
  return !key || use(gateway_.source_of(*room_.project, *key));
}

bool IntakeCall::find_source(const std::optional<std::string>& key_in_body) {
  return source_ != nullptr || use(gateway_.source_of(*room_.project, key_in_body.value_or("")));
}

bool IntakeCall::find_source_among(const std::vector<std::string>& keys) {
  const engine::Source* source = gateway_.source_of(*room_.project, write_key_of(request_).value_or(""));
  for (size_t i = 0; source == nullptr && i < keys.size(); ++i) {
    source = gateway_.source_of(*room_.project, keys[i]);
  }
  return use(source);
}

bool IntakeCall::open(const absl::StatusOr<std::string_view>& body) {
  stage_ = debugger::Stage::kCoding;
  if (!body.ok()) {
    return refuse(Problem::bad_request("invalid_encoding", "The body cannot be decompressed",
                                       message_of(body.status())));
  }
  body_ = *body;
  return true;
}

bool IntakeCall::open(const std::optional<intake::Refusal>& refusal) {
  stage_ = debugger::Stage::kParse;
  return !refusal || refuse(Problem::bad_request(std::string(to_string(refusal->reason)),
                                                 "The request cannot be read", refusal->detail));
}

void IntakeCall::decode(DecodePart part) {
  intake::Sender sender = sender_of(room_, *source_, request_, now_);
  trace::ActiveSpan span = request_.trace.child("decode");
  for (bool more = true; more;) {
    room_.intake.clear();
    more = part(sender, room_.intake);
    parts_.push_back(std::exchange(room_.intake, {}));
  }
}

void IntakeCall::charge() {
  uint64_t events = 0;
  for (const intake::Intake& part : parts_) events += part.accepted + part.rejected;
  gateway_.limits().charge(*source_, request_.remote, events, now_);
}

debugger::FollowedRequest IntakeCall::follow() {
  bool wrong = false;
  for (const intake::Intake& part : parts_) wrong = wrong || part.rejected > 0;
  using Outcome = debugger::Debugger::Outcome;
  return gateway_.debugger().follow(sighting(), wrong ? Outcome::kWentWrong : Outcome::kGood);
}

void IntakeCall::send() {
  const debugger::FollowedRequest followed = follow();
  const auto parts =
      std::make_shared<CallParts>(gateway_, std::move(responder_), voice_, std::move(answer_), followed);
  for (intake::Intake& part : parts_) {
    if (part.records.empty()) continue;
    parts->submit(part, {.followed = followed, .waiting = request_.trace.child("wait for the log")});
  }
  parts->end();
}

void IntakeCall::show() {
  const debugger::FollowedRequest followed = follow();
  for (const intake::Intake& part : parts_) followed.add_checked(part.records);
  Response response = answer_ ? *std::move(answer_) : voice_.accepted({});
  followed.answered(response);
  responder_.send(std::move(response));
}

}  // namespace kehu::gateway
